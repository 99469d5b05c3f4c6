use super::*;
use crate::record::{Function, Record};
use isobar_core::Failure;
use isobar_core::measure::{MeasureError, Measurement, Samples, Stop, WarmUp};

fn small() -> Run {
    synthetic::run(7, 2, 2, 3, true)
}

#[test]
fn terminal_table() {
    insta::assert_snapshot!(terminal(&rows(&small()), false));
}

#[test]
fn markdown_report() {
    let run = small();
    insta::assert_snapshot!(markdown(&run, &rows(&run)));
}

#[test]
fn languages_beside_each_other() {
    let mut run = synthetic::languages(6, 6, true);
    // A cell that the run did not get to.
    let last = run.records.iter().rposition(|r| r.cell.function == "c/hello").unwrap();
    run.records.remove(last);
    let rows = rows(&run);
    insta::assert_snapshot!("languages_terminal", terminal_languages(&run, &rows, false));
    let text = markdown(&run, &rows);
    let (start, end) = (text.find("\n## Languages").unwrap(), text.find("\n## Charts").unwrap());
    insta::assert_snapshot!("languages_markdown", &text[start..end]);
    assert!(terminal_languages(&run, &rows, true).contains("\u{1b}["));
}

#[test]
fn one_language_is_not_compared() {
    let run = synthetic::languages(4, 1, false);
    let rows = rows(&run);
    assert_eq!(terminal_languages(&run, &rows, false), "");
    assert!(!markdown(&run, &rows).contains("Languages") && !html(&run, &rows).unwrap().contains("languages-"));
}

#[test]
fn what_is_not_built_is_named() {
    let mut run = synthetic::languages(4, 3, false);
    run.header.unbuilt = vec![crate::record::Unbuilt {
        function: "python/hello".into(),
        reason: "run isobar build python/hello".into(),
    }];
    assert!(markdown(&run, &rows(&run)).contains("- **python/hello**: run isobar build python/hello\n"));
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let rows = rows(&small());
    assert!(!terminal(&rows, false).contains('\u{1b}'));
    assert!(terminal(&rows, true).contains("\u{1b}["));
}

#[test]
fn the_order_of_the_records_does_not_matter() {
    let run = small();
    let mut shuffled = run.clone();
    fastrand::Rng::with_seed(3).shuffle(&mut shuffled.records);
    let (a, b) = (rows(&run), rows(&shuffled));
    assert_eq!(a, b);
    assert_eq!(html(&run, &a).unwrap(), html(&shuffled, &b).unwrap());
    assert_eq!(markdown(&run, &a), markdown(&shuffled, &b));
}

#[test]
fn a_summary_does_not_depend_on_other_cells() {
    let run = small();
    let mut fewer = run.clone();
    fewer.records.retain(|record| record.cell.runtime.family() == "wasmtime");
    let all = rows(&run);
    for row in rows(&fewer) {
        let same = all.iter().find(|other| other.cell == row.cell).unwrap();
        assert_eq!(same.measured().map(|m| m.summary), row.measured().map(|m| m.summary), "{}", row.cell);
    }
}

fn record(run: &Run, runtime: &str, scenario: &str, round: u32, result: Result<Samples, Failure>) -> Record {
    let cell = crate::record::Cell {
        runtime: runtime.parse().unwrap(),
        function: run.header.functions[0].name.clone(),
        scenario: scenario.parse().unwrap(),
    };
    let result = match result {
        Ok(samples) => {
            Ok(Measurement { samples, warm_up: WarmUp::NONE, stop: Stop::Time, readings: [].into(), attempts: vec![] })
        }
        Err(failure) => Err(MeasureError::Failure(failure)),
    };
    Record {
        cell,
        round,
        machine: 0,
        elapsed_ns: 0,
        cpus: vec![],
        noise: None,
        histogram: None,
        artifact: None,
        load: None,
        result,
    }
}

fn warm(ns: u64) -> Result<Samples, Failure> {
    Ok(Samples::of([("instantiate_ns", vec![ns]), ("execute_ns", vec![10]), ("teardown_ns", vec![1])]))
}

#[test]
fn rows_hold_what_the_records_say() {
    let mut run = synthetic::run(1, 1, 1, 1, false);
    let cold = Samples::of([
        ("engine_ns", vec![1, 2, 3]),
        ("load_ns", vec![10, 20, 30]),
        ("instantiate_ns", vec![100, 200, 300]),
        ("execute_ns", vec![1000, 2000, 3000]),
        ("teardown_ns", vec![9, 9, 9]),
    ]);
    let trials = |n| Ok(Samples::of([("completed", vec![n; 2]), ("elapsed_ns", vec![1_000_000_000; 2])]));
    let two = "throughput/2";
    run.records = vec![
        record(&run, "a/slow", two, 0, trials(5)),
        record(&run, "a/fast", two, 0, trials(20)),
        record(&run, "a/slow", "warm", 1, warm(989)),
        record(&run, "a/slow", "warm", 0, warm(1989)),
        record(&run, "a/fast", "warm", 0, warm(489)),
        record(&run, "a/part", "warm", 0, warm(1)),
        record(&run, "a/part", "warm", 1, Err(Failure::Timeout { limit_ns: 1_000_000_000 })),
        record(&run, "a/none", "warm", 0, Ok(Samples::default())),
        record(&run, "a/fast", "cold", 0, Ok(cold)),
    ];
    let rows = rows(&run);
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            let outcome = row.outcome.as_ref().map(|m| (m.summary.median, m.ratio, m.summary.processes));
            let outcome = outcome.map_err(|f| (f.kind.as_str(), f.failures, f.processes));
            format!("{} {} {outcome:?}", row.cell.runtime, row.cell.scenario)
        })
        .collect();
    assert_eq!(
        told,
        [
            "a/fast cold Ok((2222.0, 1.0, 1))",
            "a/fast warm Ok((500.0, 1.0, 1))",
            "a/slow warm Ok((1500.0, 3.0, 2))",
            "a/none warm Err((\"no samples\", 1, 1))",
            "a/part warm Err((\"timeout\", 1, 2))",
            "a/fast throughput/2 Ok((40.0, 1.0, 1))",
            "a/slow throughput/2 Ok((10.0, 4.0, 1))",
        ]
    );
    let parts: Vec<f64> = rows[0].measured().unwrap().parts.iter().map(|part| part.median).collect();
    assert_eq!(parts, [2.0, 20.0, 200.0, 2000.0]);
}

#[test]
fn what_records_say_is_shown_and_does_nothing_else() {
    let mut run = synthetic::run(1, 1, 1, 1, false);
    let nasty = "<script>alert(1)</script> | **b** [x](http://e.g) `c`\n# h\u{1b}[31m & \"q\" 'r'";
    run.header.functions = vec![Function { description: nasty.into(), ..run.header.functions[0].clone() }];
    run.header.machines[0].cpu = nasty.into();
    run.header.absent[0].reason = nasty.into();
    run.header.runtimes[0].settings.insert(nasty.into(), nasty.into());
    run.records = vec![record(&run, "a/b", "warm", 0, Err(Failure::host(nasty)))];
    let rows = rows(&run);
    let (page, text, table) = (html(&run, &rows).unwrap(), markdown(&run, &rows), terminal(&rows, false));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; | **b**"));
    // The data and the page's own.
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
    assert!(page.contains("&amp; &quot;q&quot; &#39;r&#39;"));
    assert_eq!([&page, &text, &table].map(|text| text.contains('\u{1b}')), [false; 3]);
    assert!(text.contains(r"&lt;script&gt;alert(1)&lt;/script&gt; \| \*\*b\*\* \[x\](http:&#47;/e.g) \`c\` \# h"));
    let columns = |line: &str| line.replace(r"\|", "").matches('|').count();
    let tables: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let headers = tables.windows(2).filter(|pair| columns(pair[0]) != columns(pair[1])).count();
    assert!(headers < 4 && tables.len() > 6, "{tables:#?}");
}

#[test]
fn tables_in_markdown_are_rectangular() {
    let run = small();
    let text = markdown(&run, &rows(&run));
    for block in text.split("\n\n").filter(|block| block.starts_with('|')) {
        let columns = |line: &str| line.replace(r"\|", "").matches('|').count();
        let widths: Vec<usize> = block.trim().lines().map(columns).collect();
        assert!(widths.iter().all(|width| *width == widths[0]) && widths.len() > 2, "{block}");
    }
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let mut run = small();
    let rounds = run.header.schedule.min_processes;
    let whole = markdown(&run, &rows(&run));
    assert!(!whole.contains("Incomplete"));
    let last = run.records.last().unwrap().cell.clone();
    run.records
        .retain(|record| record.cell != last && (record.round + 1 < rounds || record.cell.function != "rust/hello"));
    let text = markdown(&run, &rows(&run));
    assert!(text.contains("Incomplete") && text.contains(" 1 were not measured at all, and "), "{text}");
}

#[test]
fn writing_names_every_file_and_links_to_nothing_else() {
    let run = small();
    let folder = tempfile::tempdir().unwrap();
    let files = write(&run, &rows(&run), folder.path()).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
    let rows = rows(&run);
    let charts = crate::chart::wanted(&run, &rows)
        .map(|chart| [".svg", ".png", "-dark.png"].map(|end| format!("charts/{}{end}", chart.name)));
    let expected: Vec<String> =
        ["report.html", "report.md"].map(str::to_owned).into_iter().chain(charts.flatten()).collect();
    assert_eq!(names, expected);
    let page = std::fs::read_to_string(&files[0]).unwrap();
    // Nothing is beside the page, or anywhere else.
    for mark in ["charts/", "://", "src=", "url(", "@import", "xlink"] {
        assert!(!page.contains(mark), "{mark}");
    }
    assert!(!page.contains(folder.path().to_str().unwrap()));
}

#[test]
fn a_run_without_records_has_a_report() {
    let mut run = small();
    run.records.clear();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(write(&run, &rows(&run), folder.path()).unwrap().len(), 2);
    assert!(terminal(&rows(&run), false).contains("Nothing was measured"));
    assert!(html(&run, &[]).unwrap().contains("Nothing was measured"));
}

/// Everything that follows from the records, twice; it prints how long that took, which `scripts/report-speed` shows.
#[test]
fn a_thousand_cells_are_rendered_the_same_twice() {
    let processors = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let run = synthetic::everything();
    let cells = run.header.cells.len();
    assert!((1000..1200).contains(&cells), "{cells}");
    let render = || {
        let folder = tempfile::tempdir().unwrap();
        let (start, before) = (std::time::Instant::now(), processors());
        let mut files = write(&run, &rows(&run), folder.path()).unwrap();
        let (wall, own) = (start.elapsed().as_secs_f64(), processors() - before);
        println!("rendered {cells} cells, {} files: {wall:.1} s, {own:.1} s of processor time", files.len());
        files.sort_unstable();
        let read = |file: PathBuf| (file.file_name().unwrap().to_owned(), std::fs::read(&file).unwrap());
        files.into_iter().map(read).collect::<Vec<_>>()
    };
    let [a, b] = [render(), render()];
    for ((name, a), (_, b)) in a.iter().zip(&b) {
        assert!(a == b, "{name:?}");
    }
    let page = a.iter().find(|(name, _)| name == "report.html").unwrap();
    assert!(page.1.len() < 5 << 20, "{} bytes", page.1.len());
    println!("report.html: {:.1} MB", page.1.len() as f64 / 1e6);
}

#[test]
fn every_link_leads_somewhere() {
    let run = small();
    let rows = rows(&run);
    let page = html(&run, &rows).unwrap();
    let (html, _) = page.split_once("<script").unwrap();
    let links: Vec<&str> = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let cells: Vec<String> = rows.iter().map(|row| cells::address(&row.cell)).collect();
    assert!(links.len() > 2 * rows.len(), "{}", links.len());
    for link in &links {
        let place = link.strip_prefix('#').expect("a place in the page");
        let id = page.contains(&format!(" id=\"{place}\""));
        assert!(id || cells.iter().any(|cell| cell == link), "{link}");
    }
    for cell in &cells {
        assert!(links.contains(&cell.as_str()), "{cell}");
    }
}

#[test]
fn an_emulated_machine_is_in_no_table_and_no_comparison_but_named_with_its_number() {
    let mut run = small();
    let (all, id) = (rows(&run).len(), run.header.runtimes[0].id.clone());
    run.header.runtimes[0].emulated = true;
    let rows = rows(&run);
    let own = run.header.cells.iter().filter(|cell| cell.runtime == id).count();
    assert!(own > 0 && rows.len() == all - own && rows.iter().all(|row| row.cell.runtime != id));
    let lines = emulated(&run);
    assert_eq!(lines.len(), own);
    assert!(lines.iter().all(|(runtime, _)| *runtime == id.as_str()));
    let text = markdown(&run, &rows);
    for (_, line) in &lines {
        assert!(line.starts_with("emulated, not comparable: ") && text.contains(&escape(line)), "{line}");
    }
    let sources = crate::compare::sources(&run, "run");
    assert!(sources.iter().all(|source| !source.runtimes.contains(&id)), "{sources:?}");
}

#[test]
fn classes_are_named_where_two_meet() {
    let mut run = small();
    assert!(!markdown(&run, &rows(&run)).contains("| Runtime | Class | Median"));
    run.header.runtimes[0].class = isobar_core::Class::Process;
    let rows = rows(&run);
    let text = markdown(&run, &rows);
    assert!(
        text.contains("| Runtime | Class | Median |") && text.contains("| wasmtime/cranelift | process |"),
        "{text}"
    );
    assert!(
        text.contains("The best of the other classes against ") && text.contains(": wasmtime/cranelift (process), "),
        "{text}"
    );
    assert!(terminal(&rows, false).contains("process"));
}

#[test]
fn a_summary_names_what_it_cannot_tell_apart() {
    let mut run = synthetic::run(1, 1, 1, 1, false);
    let times = |runtime: &str, times: [[u64; 3]; 3]| -> Vec<Record> {
        let warm = |ns: [u64; 3]| {
            let zero = || vec![0; 3];
            Ok(Samples::of([("instantiate_ns", ns.to_vec()), ("execute_ns", zero()), ("teardown_ns", zero())]))
        };
        (0..).zip(times).map(|(round, ns)| record(&run, runtime, "warm", round, warm(ns))).collect()
    };
    let near = [[1000, 1010, 1020], [1005, 1000, 1030], [990, 1000, 1010]];
    let far = [[2000, 2010, 2020], [2005, 2000, 2030], [1990, 2000, 2010]];
    run.records = [times("a/one", near), times("a/two", near), times("b/far", far)].concat();
    let text = brief::sentences(&run, &rows(&run)).join("\n");
    assert!(text.contains("Warm invocation: a/one and a/two share the first place."), "{text}");
    assert!(text.contains("b/far has 1.99x [") || text.contains("b/far has 2.00x ["), "{text}");
}

/// Two runtimes in which a function tried something: one that denies it, and one that does not survive it.
fn tried() -> Run {
    use crate::record::Cell;
    use isobar_core::measure::{ATTEMPTS, Attempt, Verdict};
    let mut run = synthetic::run(7, 2, 1, 1, false);
    let function = run.header.functions[0].name.clone();
    let runtimes: Vec<_> = run.header.runtimes.iter().map(|info| info.id.clone()).collect();
    let template = run.records[0].clone();
    run.records.clear();
    run.header.cells.clear();
    for (at, runtime) in runtimes.into_iter().enumerate() {
        let cell = Cell { runtime, function: function.clone(), scenario: "isolation".parse().unwrap() };
        let attempt = |kind: &isobar_core::measure::AttemptKind| {
            let (verdict, evidence) = match (at, kind.name) {
                (_, "spin") => (Verdict::Ended, "timeout: did not end within 1.000 s"),
                (1, "passwd") => (Verdict::Allowed, "read 1294 bytes in 25 lines | <b>"),
                (_, "crash") => (Verdict::NotApplicable, "there are no pointers"),
                _ => (Verdict::Denied, "path_open from descriptors 0 to 7: errno 8"),
            };
            let host_survived = (at, kind.name) != (1, "spin");
            let host_evidence = if host_survived { String::new() } else { "the runner is gone".to_owned() };
            let (attempt, evidence) = (kind.name.to_owned(), evidence.to_owned());
            Attempt { attempt, verdict, evidence, host_survived, host_evidence }
        };
        let attempts = ATTEMPTS.iter().map(attempt).collect();
        let measurement = Measurement {
            samples: Samples::default(),
            warm_up: WarmUp::NONE,
            stop: Stop::Samples,
            readings: [].into(),
            attempts,
        };
        run.header.cells.push(cell.clone());
        run.records.push(Record { cell, round: 0, histogram: None, result: Ok(measurement), ..template.clone() });
    }
    run
}

#[test]
fn verdicts_are_marked_without_colours_and_have_no_number() {
    let run = tried();
    let rows = rows(&run);
    assert!(rows.is_empty(), "a verdict is no number");
    let table = terminal_isolation(&run, false);
    insta::assert_snapshot!("isolation_terminal", table);
    assert!(terminal_isolation(&run, true).contains("\u{1b}["));
    let text = markdown(&run, &rows);
    let (start, end) = (text.find("\n## Isolation").unwrap(), text.find("<summary>What is tried").unwrap());
    insta::assert_snapshot!("isolation_markdown", &text[start..end]);
    assert!(!text.contains("Nothing was measured"), "{text}");
    let page = html(&run, &rows).unwrap();
    assert!(page.contains("✗ allowed") && page.contains("host lost") && page.contains("&lt;b&gt;"));
    assert_eq!(terminal_isolation(&small(), false), "");
}
