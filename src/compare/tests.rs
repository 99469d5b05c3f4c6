use super::*;
use crate::record::{Cell, Run};
use crate::report::synthetic;
use isobar_core::Failure;
use isobar_core::measure::MeasureError;

/// Four runtimes, two functions, cold, warm and throughput on two threads, five rounds; some cells fail.
fn small() -> Run {
    synthetic::run(4, 2, 2, 5, true)
}

fn cells(run: &Run) -> Vec<Source> {
    sources(run, "monday")
}

/// Every duration of the cells that are `chosen` times `factor`.
fn slowed(run: &Run, factor: f64, chosen: impl Fn(&Cell) -> bool) -> Run {
    let mut run = run.clone();
    for record in run.records.iter_mut().filter(|record| chosen(&record.cell)) {
        if let Ok(measurement) = &mut record.result {
            let slowed = |(name, samples): (&str, &[u64])| {
                let by = if name.ends_with("_ns") || name.ends_with("_pss_bytes") { factor } else { 1.0 };
                (name.to_owned(), samples.iter().map(|s| (*s as f64 * by) as u64).collect::<Vec<_>>())
            };
            let columns: std::collections::BTreeMap<_, _> = measurement.samples.columns().map(slowed).collect();
            measurement.samples = serde_json::from_value(serde_json::to_value(columns).unwrap()).unwrap();
        }
    }
    run
}

fn verdict(answer: &Answer<Comparison>, runtime: &str, function: &str, scenario: &str) -> Comparison {
    let wanted = |c: &&Comparison| c.runtime == runtime && c.function == function && c.scenario == scenario;
    answer.rows.iter().find(wanted).cloned().expect("the cell is there")
}

fn formats<R: serde::Serialize>(answer: &Answer<R>) -> String {
    let formats = [Format::Table, Format::Markdown, Format::Json, Format::Csv];
    let text = |format| format!("== {format:?}\n{}", answer.write(format, 120, false).unwrap());
    formats.map(text).join("\n")
}

#[test]
fn cmp_in_every_format() {
    let mut run = small();
    keep(&mut [&mut run], &["hello".into(), "warm".into(), "throughput/2".into()]).unwrap();
    insta::assert_snapshot!(formats(&cmp(&cells(&run), None).unwrap()));
}

/// A run of a function and its variant: one runtime three times as fast with it, another one the same, one fails.
fn with_variant() -> Run {
    let mut run = synthetic::run(4, 1, 1, 5, false);
    let snapshot = "rust/hello+wizer";
    let runtimes = run.header.runtimes.clone();
    let mut varied = slowed(&run, 1.0 / 3.0, |cell| cell.runtime == runtimes[0].id);
    varied.records.iter_mut().for_each(|record| record.cell.function = snapshot.into());
    for record in varied.records.iter_mut().filter(|record| record.cell.runtime == runtimes[2].id) {
        record.result = Err(MeasureError::WrongAnswer("no *luck*".into()));
    }
    varied.records.retain(|record| record.cell.runtime != runtimes[3].id || record.cell.scenario.name() != "warm");
    run.records.extend(varied.records);
    let mut function = run.header.functions[0].clone();
    (function.name, function.module_bytes) = (snapshot.into(), function.module_bytes * 5 / 2);
    run.header.functions.push(function);
    run
}

#[test]
fn variants_in_every_format() {
    let mut run = with_variant();
    keep(&mut [&mut run], &["cold".into(), "warm".into()]).unwrap();
    insta::assert_snapshot!(formats(&variants(&cells(&run)).unwrap()));
}

#[test]
fn a_variant_is_compared_with_its_function_part_by_part() {
    let run = with_variant();
    let rows = variants(&cells(&run)).unwrap().rows;
    let of = |at: usize, part: &str| {
        let id = run.header.runtimes[at].id.as_str();
        rows.iter().find(|row| row.runtime == id && row.scenario == "cold" && row.part == part).cloned()
    };
    for part in ["all", "engine", "load", "instantiate", "execute"] {
        let (fast, same) = (of(0, part).unwrap(), of(1, part).unwrap());
        // Times are whole nanoseconds.
        assert!((fast.ratio.unwrap() * 3.0 - 1.0).abs() < 0.01 && fast.verdict == "faster", "{fast:?}");
        assert!(same.ratio == Some(1.0) && same.verdict == NO_DIFFERENCE, "{same:?}");
        let growth = fast.varied_bytes.unwrap() as f64 / fast.plain_bytes.unwrap() as f64;
        assert!((growth - 2.5).abs() < 0.01);
    }
    let failed = of(2, "all").unwrap();
    assert!(failed.verdict == "failed" && failed.ratio.is_none() && failed.plain.is_some() && of(2, "load").is_none());
    let absent = rows.iter().find(|row| row.verdict == "not measured").unwrap();
    assert!(absent.scenario == "warm" && absent.varied.is_none() && absent.plain.is_some(), "{absent:?}");
    assert_eq!(variants(&cells(&small())), Err(CompareError::NoVariant));
}

#[test]
fn rank_in_every_format() {
    let mut run = small();
    keep(&mut [&mut run], &["cold".into()]).unwrap();
    insta::assert_snapshot!(formats(&rank(&cells(&run), false).unwrap()));
}

#[test]
fn diff_in_every_format() {
    let mut old = synthetic::run(4, 1, 1, 5, false);
    let mut new = slowed(&old, 1.5, |cell| cell.runtime.family() == "wasmedge" && cell.scenario.name() == "warm");
    new = slowed(&new, 0.7, |cell| cell.scenario.name() == "cold" && cell.runtime.family() == "wasmtime");
    old.records.retain(|r| !(r.cell.runtime.family() == "wasmer" && r.cell.scenario.name() == "cold"));
    new.records.retain(|r| !(r.cell.runtime.family() == "wasmer" && r.cell.scenario.name() == "throughput"));
    let fails =
        |r: &&mut crate::record::Record| r.cell.runtime.family() == "wasmer" && r.cell.scenario.name() == "warm";
    new.records
        .iter_mut()
        .filter(fails)
        .for_each(|r| r.result = Err(MeasureError::Failure(Failure::host("no *luck*"))));
    new.header.runtimes[0].version = "1.2.4".into();
    new.header.functions[0].module_sha256 = "ab".repeat(32);
    new.header.machines[0].kernel = "6.2.0".into();
    let outcome = diff(&old, &new, Some(0.05), false, false).unwrap();
    insta::assert_snapshot!(formats(&outcome.answer));
}

#[test]
fn ratios_say_how_many_times_worse_whatever_the_unit() {
    let slow = |factor| slowed(&small(), factor, |cell| cell.runtime.as_str() == "wasmtime/cranelift");
    for (factor, word, of_bytes) in [(3.0, "slower", "larger"), (1.0 / 3.0, "faster", "smaller")] {
        // The first runtime against itself of a run before: one is in both runs under another name.
        let (old, new) = (small(), slow(factor));
        for row in diff(&old, &new, None, true, false).unwrap().answer.rows {
            if row.runtime == "wasmtime/cranelift" {
                let ratio = row.ratio.unwrap();
                let word = if row.unit == "bytes" { of_bytes } else { word };
                assert!((ratio / factor - 1.0).abs() < 0.01 && row.verdict == word, "{row:?}");
                assert_eq!(
                    row.new.unwrap() > row.old.unwrap(),
                    (factor > 1.0) != (row.unit == "per_second"),
                    "{row:?}"
                );
            }
        }
    }
}

#[test]
fn the_same_run_twice_has_no_difference() {
    let run = synthetic::run(25, 2, 1, 5, true);
    let outcome = diff(&run, &run, Some(0.0), true, false).unwrap();
    assert_eq!(outcome.above, 0);
    let verdicts: std::collections::BTreeSet<&str> =
        outcome.answer.rows.iter().map(|row| row.verdict.as_str()).collect();
    assert_eq!(verdicts.into_iter().collect::<Vec<_>>(), ["fails in both", NO_DIFFERENCE]);
}

#[test]
fn a_difference_counts_above_the_threshold_only() {
    let old = synthetic::run(2, 1, 1, 5, false);
    let new = slowed(&old, 1.5, |cell| cell.scenario.name() == "warm");
    let above = |threshold| diff(&old, &new, threshold, false, false).unwrap().above;
    assert_eq!((above(None), above(Some(0.05)), above(Some(0.6))), (0, 2, 0));
    // What became faster is above nothing.
    assert_eq!(diff(&new, &old, Some(0.0), false, false).unwrap().above, 0);
}

#[test]
fn a_cell_that_fails_now_is_above_every_threshold_and_one_that_failed_is_not() {
    let (sound, broken) = (synthetic::run(25, 2, 1, 5, false), synthetic::run(25, 2, 1, 5, true));
    let now = diff(&sound, &broken, Some(9.0), false, false).unwrap();
    assert_eq!(now.above, now.answer.rows.iter().filter(|row| row.verdict == "fails now").count());
    assert!(now.above > 0);
    let back = diff(&broken, &sound, Some(9.0), false, false).unwrap();
    assert!(back.above == 0 && back.answer.rows.iter().any(|row| row.verdict == "works now"));
}

#[test]
fn other_machines_are_refused_unless_forced() {
    let (old, mut new) = (small(), small());
    new.header.machines[0].cpu = "Another CPU".into();
    let error = diff(&old, &new, None, false, false).unwrap_err().to_string();
    assert!(error.contains("cpu Example CPU @ 2.50 GHz -> Another CPU") && error.contains("--force"), "{error}");
    let forced = diff(&old, &new, None, false, true).unwrap();
    assert!(forced.answer.notes.iter().any(|note| note.contains("different machines")));
}

/// The second machine is ten times slower; nothing must be compared across.
#[test]
fn machines_of_one_run_are_kept_apart() {
    let mut run = small();
    let mut other = slowed(&run, 10.0, |_| true);
    other.records.iter_mut().for_each(|record| record.machine = 1);
    run.records.extend(other.records);
    let machine = crate::record::Machine { cpu: "Another CPU".into(), ..run.header.machines[0].clone() };
    run.header.machines.push(machine);
    let sources = cells(&run);
    assert_eq!(sources.iter().map(Source::name).collect::<Vec<_>>(), ["monday, machine 1", "monday, machine 2"]);
    let answer = cmp(&sources, Some("wasmtime/cranelift")).unwrap();
    assert_eq!(answer.grids.len(), 2);
    let ratios = |machine: u32| -> Vec<Option<f64>> {
        answer.rows.iter().filter(|row| row.machine == machine).map(|row| row.ratio).collect()
    };
    assert_eq!(ratios(1).len(), ratios(2).len());
    for (one, two) in ratios(1).into_iter().zip(ratios(2)) {
        assert!(one.zip(two).is_none_or(|(one, two)| (one / two - 1.0).abs() < 0.01), "{one:?} {two:?}");
    }
    // In a diff each finds its own.
    let same = diff(&run, &run, Some(0.0), false, false).unwrap();
    assert_eq!((same.above, same.answer.grids.iter().filter(|grid| grid.title.starts_with("Worse")).count()), (0, 0));
}

#[test]
fn runs_of_one_machine_have_a_geometric_mean_of_their_ratios() {
    let run = synthetic::run(2, 1, 1, 5, false);
    let second = run.header.runtimes[1].id.clone();
    let slower = slowed(&run, 4.0, |cell| cell.runtime == second);
    let both: Vec<Source> = [sources(&run, "monday"), sources(&slower, "tuesday")].concat();
    let answer = cmp(&both, Some(run.header.runtimes[0].id.as_str())).unwrap();
    let ratio = |run: &str| {
        let wanted = |c: &&Comparison| c.run == run && c.scenario == "warm" && c.runtime == second.as_str();
        answer.rows.iter().find(wanted).unwrap().ratio.unwrap()
    };
    assert!((ratio("tuesday") / ratio("monday") - 4.0).abs() < 0.01);
    assert!((ratio("geometric mean").powi(2) / (ratio("monday") * ratio("tuesday")) - 1.0).abs() < 1e-9);
    assert_eq!(answer.grids.len(), 1);
}

#[test]
fn the_baseline_is_the_best_unless_it_is_named() {
    let run = small();
    let answer = cmp(&cells(&run), None).unwrap();
    assert!(answer.rows.iter().all(|row| row.ratio.is_none_or(|ratio| ratio >= 1.0)));
    let baselines = answer.rows.iter().filter(|row| row.verdict == "baseline").count();
    assert_eq!(baselines, 2 * 7, "one in each row");
    let named = cmp(&cells(&run), Some("wasm3/lazy"));
    let error = named.unwrap_err().to_string();
    assert!(error.starts_with("no run has the runtime wasm3/lazy"), "{error}");
    let error = cmp(&cells(&run), Some("wasmtime/cranlift")).unwrap_err().to_string();
    assert!(error.contains("did you mean wasmtime/cranelift"), "{error}");
}

#[test]
fn a_failed_cell_is_compared_with_nothing() {
    let run = synthetic::run(25, 2, 2, 5, true);
    let answer = cmp(&cells(&run), Some("wasmedge/jit")).unwrap();
    let failed = verdict(&answer, "wasmedge/jit", "rust/hello", "warm");
    assert!(failed.verdict == "failed" && failed.failure.unwrap().contains("signal 11"));
    assert_eq!(verdict(&answer, "wasm3/lazy", "rust/hello", "warm").verdict, "no ratio");
    assert_eq!(verdict(&answer, "wasm3/lazy", "rust/fibonacci", "warm").baseline, "wasmedge/jit");
    assert!(verdict(&answer, "wasm3/lazy", "rust/fibonacci", "warm").ratio.is_some());
}

#[test]
fn ranks_are_shared_where_intervals_overlap() {
    let run = synthetic::run(25, 3, 1, 5, false);
    let rows = rank(&cells(&run), false).unwrap().rows;
    for scenario in ["cold", "warm", "throughput/1"] {
        let rows: Vec<&Ranked> = rows.iter().filter(|row| row.scenario == scenario).collect();
        assert_eq!(rows[0].rank, Some(1));
        for (at, a) in rows.iter().enumerate() {
            assert!(a.rank <= a.rank_worst && a.ratio >= Some(1.0) && a.functions == 3 && a.failed == 0);
            for b in &rows[at + 1..] {
                let overlap = a.ratio_low <= b.ratio_high && b.ratio_low <= a.ratio_high;
                let common = a.rank <= b.rank_worst && b.rank <= a.rank_worst;
                assert!(a.ratio <= b.ratio && (!overlap || common), "{a:?}\n{b:?}");
            }
        }
    }
}

#[test]
fn an_intersection_leaves_out_what_some_do_not_have_and_says_so() {
    let run = synthetic::run(25, 3, 1, 5, true);
    let find = |answer: &Answer<Ranked>, runtime: &str| {
        answer.rows.iter().find(|row| row.scenario == "warm" && row.runtime == runtime).cloned().unwrap()
    };
    let own = rank(&cells(&run), false).unwrap();
    assert!(own.notes.iter().any(|note| note.contains("--intersection")));
    let (part, whole) = (find(&own, "wasmedge/interpreter"), find(&own, "wasm3/lazy"));
    assert_eq!((part.functions, part.failed, whole.functions), (2, 1, 3));
    // hello fails in wasmedge/jit, fibonacci in wasmedge/interpreter, blake3 in wasmi/eager: nothing is left.
    let none = rank(&cells(&run), true).unwrap();
    assert_eq!((find(&none, "wasm3/lazy").rank, find(&none, "wasm3/lazy").left_out), (None, 3));
    let mut fewer = run.clone();
    keep(&mut [&mut fewer], &["wasm3/*".into(), "wasmedge/interpreter".into()]).unwrap();
    let common = rank(&cells(&fewer), true).unwrap();
    let (part, whole) = (find(&common, "wasmedge/interpreter"), find(&common, "wasm3/lazy"));
    assert_eq!((part.functions, part.failed, whole.functions, whole.left_out), (2, 1, 2, 1));
    let note = common.notes.iter().find(|note| note.contains("rust/fibonacci")).unwrap();
    assert!(note.ends_with("not in wasmedge/interpreter"), "{note}");
}

#[test]
fn filters_that_choose_nothing_name_the_nearest() {
    let error = |filter: &str| keep(&mut [&mut small()], &[filter.to_owned()]).unwrap_err().to_string();
    assert!(error("fibonaci").ends_with("of the runs; did you mean rust/fibonacci?"), "{}", error("fibonaci"));
    assert!(error("[x").contains("no glob"));
    let mut empty = small();
    empty.records.clear();
    assert!(matches!(keep(&mut [&mut empty], &[]), Err(CompareError::Nothing(_))));
}

#[test]
fn runs_without_a_common_cell_are_an_error() {
    let (mut old, mut new) = (small(), small());
    keep(&mut [&mut old], &["warm".into()]).unwrap();
    keep(&mut [&mut new], &["cold".into()]).unwrap();
    assert_eq!(diff(&old, &new, None, false, false), Err(CompareError::NoCommonCell));
}

#[test]
fn ratios_have_digits_enough_to_tell_them_from_one() {
    let of = |ratio: f64, low, high| show(&Ratio { ratio, low, high, degrees_of_freedom: 4.0 });
    assert_eq!(of(1.0042, 0.9961, 1.0123), "1.004x [0.996, 1.012]");
    assert_eq!(of(12.345, 11.9, 13.0), "12.3x [11.9, 13.0]");
    assert_eq!(of(0.5, 0.0, f64::INFINITY), "0.50x [0.00, ∞]");
    assert_eq!(of(0.00012, 0.0001, 0.00013), "1.20e-4x [1.00e-4, 1.30e-4]");
}

/// Whatever the scenario is called, instructions are exact.
#[test]
fn a_count_that_never_varies_is_exact() {
    let ratio = exact(1.25).unwrap();
    assert_eq!((ratio.low, ratio.high, ratio.verdict()), (1.25, 1.25, Verdict::Higher));
    assert_eq!(exact(1.0).unwrap().verdict(), Verdict::NoDifference);
    assert_eq!((exact(f64::NAN), exact(f64::INFINITY), exact(0.0)), (None, None, None));
    assert_eq!(only_value(&[vec![7.0], vec![7.0, 7.0]]), Some(7.0));
    assert_eq!((only_value(&[vec![7.0, 8.0]]), only_value(&[vec![]])), (None, None));
    // Exact ratios have an exact mean.
    let mean = crate::stats::geometric_mean(&[exact(2.0).unwrap(), exact(8.0).unwrap()]).unwrap();
    assert!((mean.low - 4.0).abs() < 1e-9 && (mean.high - 4.0).abs() < 1e-9, "{mean:?}");
}

#[test]
fn what_records_say_does_nothing_else() {
    let mut run = synthetic::run(2, 1, 1, 5, false);
    let nasty = "a\u{1b}[31m|<b>\n`c`";
    run.header.functions[0].name = nasty.into();
    run.records.iter_mut().for_each(|record| record.cell.function = nasty.into());
    let answer = cmp(&cells(&run), None).unwrap();
    let [table, markdown] = [Format::Table, Format::Markdown].map(|f| answer.write(f, 120, false).unwrap());
    assert!(!table.contains('\u{1b}') && !markdown.contains('\u{1b}') && !markdown.contains("<b>"), "{markdown}");
    let widths: Vec<usize> = markdown
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.replace(r"\|", "").matches('|').count())
        .collect();
    assert!(widths.len() > 2 && widths.iter().all(|width| *width == widths[0]), "{markdown}");
}

#[test]
fn wide_tables_go_on_below_with_their_names() {
    let run = synthetic::run(12, 1, 1, 5, false);
    let answer = cmp(&cells(&run), None).unwrap();
    let table = answer.write(Format::Table, 100, false).unwrap();
    assert!(table.lines().filter(|line| line.starts_with("1.32x")).count() == 1);
    let lines = || table.lines().filter(|line| !line.contains("worse") && !line.contains("cores"));
    assert!(lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(lines().filter(|line| line.trim_start().starts_with("function")).count() > 1, "{table}");
    assert!(run.header.runtimes.iter().all(|info| table.contains(info.id.as_str())));
}
