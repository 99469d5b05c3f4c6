use super::figure::{Shape, Text};
use super::style::SLACK;
use super::*;
use crate::record::Record;
use crate::report::synthetic;
use crate::report::units::Quantity;
use crate::report::{Row, rows};

/// Runs of several shapes: few and many runtimes, functions and threads, with failures and without, and nothing else.
fn runs() -> Vec<Run> {
    let mut runs: Vec<Run> = [(25, 6, 2, 2, true), (1, 1, 1, 1, false), (25, 2, 64, 1, true), (7, 3, 4, 1, false)]
        .map(|(runtimes, functions, threads, rounds, failures)| {
            synthetic::run(runtimes, functions, threads, rounds, failures)
        })
        .into();
    runs.push(only_failures());
    runs.extend(
        [(25, 6, true), (17, 5, false), (1, 2, false)].map(|(n, m, failures)| synthetic::languages(n, m, failures)),
    );
    let mut long = synthetic::run(9, 2, 2, 1, false);
    for (i, record) in long.records.iter_mut().enumerate() {
        record.cell.runtime = format!("family{}/{}", i % 20, "long-".repeat(20) + "name").parse().unwrap();
    }
    long.header.machines[0].cpu = "A processor with a name of many words ".repeat(10);
    runs.push(long);
    runs.push(loaded());
    runs.push(swept());
    runs.push(synthetic::classes());
    runs.push(synthetic::everything());
    let mut long = synthetic::languages(9, 6, false);
    let name = |name: &str| format!("{name} {}", "long ".repeat(40)).trim_end().to_owned();
    for function in &mut long.header.functions {
        function.language = function.language.as_deref().map(name);
        function.family = function.family.as_deref().map(name);
        function.description = name(&function.description);
    }
    runs.push(long);
    runs
}

/// Sweeps of two servers: as many rates as there are cells, some of which failed.
fn loaded() -> Run {
    let mut run = synthetic::run(2, 1, 40, 1, true);
    run.records.retain(|record| record.cell.scenario.name() == "throughput");
    for record in &mut run.records {
        let rate = 10 * record.cell.scenario.threads().pow(2);
        record.cell.scenario = isobar_core::measure::ScenarioId::new("http-open", Some(rate)).unwrap();
        let ns = 40_000 + u64::from(rate).pow(3) / 100;
        let mut histogram = crate::stats::Histogram::new();
        (0..5000).for_each(|n| histogram.record(ns + n * n * ns / 1_000_000));
        record.histogram = Some(histogram.encode());
        if let Ok(measurement) = &mut record.result {
            let column = |value| vec![value; 3];
            measurement.samples = isobar_core::measure::Samples::of([
                ("elapsed_ns", column(1_000_000_000)),
                ("requests", column(u64::from(rate))),
                ("p50_ns", column(ns)),
            ]);
        }
    }
    run.header.cells = run.records.iter().map(|record| record.cell.clone()).collect();
    run
}

/// Sweeps of servers, and nothing else.
fn swept() -> Run {
    let mut run = synthetic::run(8, 2, 1, 3, true);
    run.records = synthetic::swept(&run, "");
    run.header.cells = run.records.iter().map(|record| record.cell.clone()).collect();
    run
}

fn only_failures() -> Run {
    let mut run = synthetic::run(25, 6, 2, 2, true);
    run.records.retain(|record: &Record| record.result.is_err());
    run
}

fn texts(figure: &Figure) -> impl Iterator<Item = &Text> {
    figure.shapes.iter().filter_map(|shape| if let Shape::Text(text) = shape { Some(text) } else { None })
}

/// Left, right, upper and lower side of a text in a font a bit wider than ours.
fn sides(text: &Text) -> [f64; 4] {
    let (half, left) = (text.size * 0.5, text.left());
    [left, left + text.width() * (1.0 + SLACK) / 2.0, text.y - half, text.y + half]
}

/// Samples about `ns`, some of which are slow.
fn samples(rng: &mut fastrand::Rng, count: usize, ns: f64) -> Vec<f64> {
    let mut slow = || if rng.u8(..) < 6 { 2.0 * rng.f64() } else { 0.1 * rng.f64() + 0.1 * rng.f64() };
    (0..count).map(|_| ns * (1.0 + slow())).collect()
}

fn distributions(footer: &str, panels: Vec<distribution::Panel>) -> Figure {
    let words = distribution::WORDS;
    distribution::Distributions { title: "Instantiation: lower is better", words, footer, panels }.figure()
}

fn some_distributions(footer: &str) -> [Figure; 2] {
    let rng = &mut fastrand::Rng::with_seed(5);
    let curve = |name, processes| distribution::Curve { name, processes, seed: 1 };
    let long = "with a name that is far too long to be shown beside such a curve, whatever the panel";
    let curves = vec![
        curve("on demand", (0..5).map(|_| samples(rng, 400, 28e3)).collect()),
        curve("pooling", (0..5).map(|_| samples(rng, 400, 9e3)).collect()),
        curve(long, vec![samples(rng, 9, 31e3)]),
        curve("constant", vec![vec![20e3; 5]]),
        curve("nothing", vec![vec![]]),
    ];
    let panel = |name, curves| distribution::Panel { name, quantity: Quantity::Time, curves };
    let panels = vec![
        panel("rust/hello", curves),
        panel("wat/empty", vec![curve("pooling", vec![samples(rng, 2000, 1e6)])]),
        panel("constant", vec![curve("constant", vec![vec![5.0; 9]])]),
        panel("nothing", vec![curve("nothing", vec![])]),
    ];
    let single = vec![panel(
        "wat/empty",
        vec![
            curve("pooling", (0..5).map(|_| samples(rng, 500, 6e3)).collect()),
            curve("on demand", (0..5).map(|_| samples(rng, 500, 21e3)).collect()),
        ],
    )];
    [distributions(footer, panels), distributions(footer, single)]
}

fn some_regressions(footer: &str) -> Figure {
    let rng = &mut fastrand::Rng::with_seed(6);
    let processes = (0..5).map(|_| regression::rising(&samples(rng, 5000, 41e3), 40)).collect();
    let panel = |name, processes| regression::Panel { name, processes };
    let panels = vec![
        panel("wasmtime/cranelift rust/hello warm", processes),
        panel("too few", vec![vec![(1.0, 1.0)]]),
        panel("noisy", vec![vec![(1.0, 9e6), (2.0, 3e6), (3.0, 12e6), (4.0, 9e6)]]),
    ];
    regression::Regressions { title: "Invocations: flatter is better", words: regression::WORDS, footer, panels }
        .figure()
}

fn some_published(footer: &str) -> [Figure; 2] {
    let bar = |ratio: f64, text: &str| {
        let interval = Some([ratio * 0.97, ratio * 1.02]).filter(|_| ratio != 1.0);
        Ok(published::Bar { ratio, interval, text: text.to_owned() })
    };
    let bars = |name, ours, theirs| published::Bars { name, ours, theirs };
    let thesis = [
        bars("native", bar(1.0, "1.00x, 312 ms"), bar(1.0, "1.00x, 396 ms")),
        bars("Wasmtime", bar(1.12, "1.12x, 349 ms"), bar(1.35, "1.35x, 535 ms")),
        bars(
            "Node.js",
            Err("not measured here: node is not installed; scripts/toolchains node".into()),
            bar(1.42, "1.42x, 562 ms"),
        ),
        bars("WasmEdge", Err("failed: crashed (5 of 5)".into()), bar(2.13, "2.13x, 844 ms")),
        bars("Wasm3", bar(4.4, "4.40x, 1.37 s"), bar(4.82, "4.82x, 1.91 s")),
        bars("a runtime of today with a name that goes on", bar(9.0, "9.00x, 2.81 s"), Err("not in the thesis".into())),
    ];
    let wide = [
        bars("Fastly", Err("not measured".into()), bar(1.0, "350 µs")),
        bars("Lambda", bar(1200.0, "1200x, 420 ms"), bar(1429.0, "1429x, 500 ms")),
    ];
    let figure = |panels| {
        let names = ["here", "thesis (t2.medium, 2023)"];
        let words = "The time of one call, relative to native code. Lines are 95 % intervals.";
        published::Published { title: "Fibonacci: lower is better", words, footer, names, panels }.figure()
    };
    let panel = |name, bars: Vec<published::Bars<'static>>| published::Panel { name, bars };
    [
        figure(vec![panel("Fibonacci of 40", thesis.into()), panel("nothing", vec![])]),
        figure(vec![panel("First request", wide.into())]),
    ]
}

/// Four runs: the third of another machine, the last with another version of the runtimes.
fn some_history() -> Figure {
    let run = |at: u64| {
        let mut run = synthetic::run(4, 2, 1, 3, true);
        run.header.started_at_s += at * 86_400;
        let slower = |ns: &u64| ns * (100 + at * at) / 100;
        for measurement in run.records.iter_mut().filter_map(|record| record.result.as_mut().ok()) {
            let columns: Vec<(String, Vec<u64>)> = measurement
                .samples
                .columns()
                .map(|(name, c)| (name.to_owned(), c.iter().map(slower).collect()))
                .collect();
            measurement.samples = serde_json::from_value(serde_json::json!(
                columns.into_iter().collect::<std::collections::BTreeMap<_, _>>()
            ))
            .unwrap();
        }
        (format!("run-{at}-with-a-name-that-is-rather-long-for-a-folder"), run)
    };
    let mut runs = [0, 1, 2, 3].map(run);
    runs[2].1.header.machines[0].cpu = "Another CPU @ 3 GHz".into();
    runs[3].1.header.runtimes.iter_mut().for_each(|info| info.version = "1.3.0".into());
    history::history(&runs)
}

/// The figures that are no charts of one run.
fn further() -> Vec<(&'static str, Figure)> {
    let footer = footer(&synthetic::run(1, 1, 1, 1, false));
    let [several, single] = some_distributions(&footer);
    let [bars, wide] = some_published(&footer);
    vec![
        ("distributions", several),
        ("distribution", single),
        ("regressions", some_regressions(&footer)),
        ("published", bars),
        ("published-wide", wide),
        ("history", some_history()),
    ]
}

/// Fails where texts overlap or leave the page.
fn check(name: &str, figure: &Figure) {
    let mut boxes: Vec<([f64; 4], &Text)> = texts(figure).map(|text| (sides(text), text)).collect();
    boxes.sort_by(|a, b| a.0[2].total_cmp(&b.0[2]));
    for (i, ([left, right, upper, lower], text)) in boxes.iter().enumerate() {
        let inside = *left >= 0.0 && *right <= figure.width && *upper >= 0.0 && *lower <= figure.height;
        assert!(inside, "{name}: {text:?} on {} x {}", figure.width, figure.height);
        for (other, over) in boxes[i + 1..].iter().take_while(|(other, _)| other[2] < *lower) {
            assert!(other[0] >= *right || other[1] <= *left, "{name}: {text:?} and {over:?}");
        }
    }
}

#[test]
fn no_text_lies_over_another_or_beyond_the_page() {
    for run in runs() {
        let rows = rows(&run);
        wanted(&run, &rows).for_each(|chart| check(chart.name, &(chart.draw)(&run, &rows)));
    }
    further().iter().for_each(|(name, figure)| check(name, figure));
}

#[test]
fn further_figures_are_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    for ((name, a), (_, b)) in further().into_iter().zip(further()) {
        assert!(a == b, "{name}");
        let files = write(&a, name, folder.path(), name).unwrap();
        assert!(files.len() == 3 && files.iter().all(|file| std::fs::metadata(file).unwrap().len() > 1000), "{name}");
    }
}

/// For looking at: `ISOBAR_PICTURES=/tmp/pictures cargo test --release --lib pictures -- --ignored`.
#[test]
#[ignore = "writes pictures for people"]
fn pictures() {
    let folder = PathBuf::from(std::env::var_os("ISOBAR_PICTURES").expect("ISOBAR_PICTURES names a folder"));
    for (name, figure) in further() {
        make(&folder).unwrap();
        write(&figure, name, &folder, name).unwrap();
    }
    for (i, run) in runs().iter().enumerate() {
        draw_all(run, &folder.join(i.to_string())).unwrap();
    }
}

#[test]
fn every_cell_is_in_its_chart() {
    let run = synthetic::run(25, 6, 2, 3, true);
    let rows = rows(&run);
    for chart in wanted(&run, &rows).filter(|chart| matches!(chart.shows, Shows::Scenario(_))) {
        let own: Vec<&Row> =
            rows.iter().filter(|row| Shows::Scenario(row.cell.scenario.name()) == chart.shows).collect();
        let figure = (chart.draw)(&run, &rows);
        let shown: Vec<&str> = texts(&figure).map(|text| text.text.as_str()).collect();
        let failed = own.iter().filter(|row| row.outcome.is_err());
        // Throughput has one label for all numbers of threads on which a runtime fails.
        let mut failed: Vec<_> = failed.map(|row| (&row.cell.runtime, &row.cell.function)).collect();
        failed.dedup();
        let mut unique = failed.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(shown.iter().filter(|text| text.contains("failed: ")).count(), unique.len(), "{}", chart.name);
        let measured = own.iter().filter_map(|row| Some((row, row.measured()?)));
        for (row, measured) in
            measured.filter(|(row, _)| chart.name != "throughput" || row.cell.scenario.threads() == 2)
        {
            let number = row.quantity().show(measured.summary.median);
            assert!(shown.iter().any(|text| text.contains(&number)), "{} {number}", row.cell);
        }
    }
}

#[test]
fn a_load_has_its_curve() {
    let run = loaded();
    let rows = rows(&run);
    let charts: Vec<&Chart> = wanted(&run, &rows).collect();
    assert_eq!(charts.iter().map(|chart| chart.name).collect::<Vec<_>>(), ["latency-over-load"]);
    let figure = (charts[0].draw)(&run, &rows);
    let dots = figure.shapes.iter().filter(|shape| matches!(shape, Shape::Dot(..))).count();
    let measured = rows.iter().filter(|row| row.outcome.is_ok()).count();
    assert!(measured > 20 && dots == 4 * measured, "{dots} dots of {measured} rates");
    let failed = texts(&figure).filter(|text| text.text.contains("failed: ")).count();
    assert_eq!(failed, rows.len() - measured);
}

#[test]
fn every_sweep_has_its_line_and_its_number() {
    let run = swept();
    let rows = rows(&run);
    let charts: Vec<&Chart> = wanted(&run, &rows).collect();
    assert_eq!(charts.iter().map(|chart| chart.name).collect::<Vec<_>>(), ["latency-over-load-by-strategy"]);
    let figure = (charts[0].draw)(&run, &rows);
    let measured = rows.iter().filter(|row| row.outcome.is_ok()).count();
    let lines = figure.shapes.iter().filter(|shape| matches!(shape, Shape::Line(points, ..) if points.len() == 6));
    assert!(measured > 40 && lines.count() == measured, "{measured} rows");
    let shown: Vec<&str> = texts(&figure).map(|text| text.text.as_str()).collect();
    for row in &rows {
        let text = match &row.outcome {
            Ok(measured) => row.quantity().show(measured.summary.median),
            Err(_) => "failed: ".to_owned(),
        };
        assert!(shown.iter().any(|shown| shown.contains(&text)), "{}: {text}", row.cell);
    }
}

#[test]
fn drawing_twice_gives_the_same_bytes() {
    let mut drawn = std::collections::BTreeSet::new();
    for run in [synthetic::run(6, 2, 2, 2, true), synthetic::languages(6, 4, true), loaded(), swept()] {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [a, b] = folders.each_ref().map(|folder| draw_all(&run, folder.path()).unwrap());
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a.file_name(), b.file_name());
            let bytes = std::fs::read(a).unwrap();
            assert!(bytes.len() > 1000 && bytes == std::fs::read(b).unwrap(), "{}", a.display());
            drawn.insert(a.file_name().unwrap().to_owned());
        }
    }
    // All but the twins of others: a load's curve for connections that are always fresh, and the means of cold starts.
    assert_eq!(drawn.len(), 3 * (CHARTS.len() - 2));
}

#[test]
fn every_language_has_a_number_or_a_word_for_every_runtime() {
    let mut run = synthetic::languages(25, 6, true);
    run.records.retain(|r| r.cell.function != "c/hello" || r.cell.runtime.as_str() != "wasmer/cranelift");
    let all = rows(&run);
    for (chart, scenario) in [("languages-cold", "cold"), ("languages-warm", "warm")] {
        let chart = CHARTS.iter().find(|known| known.name == chart).unwrap();
        let figure = (chart.draw)(&run, &all);
        let shown: Vec<&str> = texts(&figure).map(|text| text.text.as_str()).collect();
        let count = |word: &str| shown.iter().filter(|text| **text == word).count();
        let own = || all.iter().filter(|row| row.cell.scenario.name() == scenario);
        for row in own() {
            match &row.outcome {
                Ok(measured) => assert!(count(&row.quantity().show(measured.summary.median)) > 0, "{}", row.cell),
                Err(failed) => {
                    let same = own().filter(|r| r.outcome.as_ref().is_err_and(|f| f.kind == failed.kind)).count();
                    assert_eq!(count(&failed.kind), same, "{}", row.cell);
                }
            }
        }
        assert!(own().any(|row| row.outcome.is_err()));
        assert_eq!(count("–"), 1, "{}", chart.name);
    }
    let sizes = CHARTS.iter().find(|chart| chart.name == "languages-modules").unwrap();
    let sizes = (sizes.draw)(&run, &all);
    for name in ["C", "Go", "JavaScript", "JavaScript + Wizer", "Lua", "Rust"] {
        let families = if name.contains("Wizer") { 1 } else { 2 };
        assert_eq!(texts(&sizes).filter(|text| text.text == name).count(), families, "{name}");
    }
}

#[test]
fn one_language_has_no_heat_map() {
    for (run, charts) in [(synthetic::languages(5, 1, false), 0), (synthetic::languages(5, 2, false), 4)] {
        let rows = rows(&run);
        assert_eq!(wanted(&run, &rows).filter(|chart| chart.name.starts_with("languages")).count(), charts);
    }
}

#[test]
fn a_png_has_twice_the_pixels_of_its_svg() {
    let folder = tempfile::tempdir().unwrap();
    let files = draw_all(&synthetic::run(2, 1, 1, 1, false), folder.path()).unwrap();
    for pair in files.chunks(3) {
        let svg = std::fs::read_to_string(&pair[0]).unwrap();
        let png = std::fs::read(&pair[1]).unwrap();
        let pixels = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        let size = format!("width=\"{}\" height=\"{}\"", pixels(16) / 2, pixels(20) / 2);
        assert!(svg.contains(&size), "{size} in {}", &svg[..200]);
        let dark = std::fs::read(&pair[2]).unwrap();
        assert!(dark[16..24] == png[16..24] && dark != png, "{}", pair[2].display());
        assert!(svg.ends_with("</svg>\n") && svg.contains("Inter, "));
    }
}

#[test]
fn a_run_without_records_has_no_charts() {
    let mut run = synthetic::run(3, 1, 1, 1, false);
    run.records.clear();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(draw_all(&run, folder.path()).unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn a_run_of_failures_has_charts_that_say_so() {
    let run = only_failures();
    let folder = tempfile::tempdir().unwrap();
    let files = draw_all(&run, folder.path()).unwrap();
    let of_scenarios =
        CHARTS.iter().filter(|chart| matches!(chart.shows, Shows::Scenario(name) if !name.starts_with("http"))).count();
    assert_eq!(files.len(), 3 * of_scenarios);
    let svg = std::fs::read_to_string(&files[0]).unwrap();
    assert!(svg.contains("failed: timeout") && svg.contains("failed: crashed"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = draw_all(&synthetic::run(1, 1, 1, 1, false), &file).unwrap_err();
    assert!(error.to_string().contains("file/charts"), "{error}");
}
