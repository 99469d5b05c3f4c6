//! Reports as readers meet them: in a browser, in a terminal, in a document.

#[path = "support/chromium.rs"]
mod chromium;
mod support;

use chromium::{Chromium, Page};
use isobar::record::{Record, Run, store};
use isobar::report::rows;
use isobar::stats::Histogram;
use isobar_core::measure::MeasureError;
use isobar_core::{Class, Failure};
use serde_json::json;
use std::path::{Path, PathBuf};
use support::isobar;
use tempfile::TempDir;

/// The browser's own test: it clicks, types, and hears what a page complains of.
#[test]
fn a_page_is_driven_and_heard() {
    let Some(mut chromium) = Chromium::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let html = "<!doctype html><style>p { width: 700px; color: red } @media (prefers-color-scheme: dark) { p { color: lime } }</style>\
                <p>wide</p><input><button onclick='this.textContent = document.querySelector(`input`).value'>go</button>\
                <script>console.error('so it is')</script>";
    std::fs::write(&file, html).unwrap();
    let mut page = chromium.open(&address(&file), (400, 600), true);
    page.click("input");
    page.type_text("typed");
    page.click("button");
    assert_eq!(page.text("document.querySelector('button').textContent"), "typed");
    assert_eq!(page.text("getComputedStyle(document.querySelector('p')).color"), "rgb(0, 255, 0)");
    assert_eq!(page.complaints().len(), 1);
    assert_eq!(page.too_wide().len(), 1);
    page.resize(800, 600);
    assert_eq!(page.too_wide(), Vec::<String>::new());
}

/// A small run of four runtimes, one of which says that it is of another class; one of the cells failed. With its report.
fn report() -> (TempDir, PathBuf, Run) {
    let folder = tempfile::tempdir().unwrap();
    let measured = folder.path().join("measured");
    let options = "--quick --filter wasm3/* --filter wasmi/* --filter wat/empty --filter wat/large-data --filter cold --filter warm \
                   --filter throughput/1 --filter density --processes 2 --max-processes 2 --cell-time 1ms --seed 5";
    isobar().arg("run").args(options.split_whitespace()).arg("--into").arg(&measured).assert().success();
    let mut run = Run::read(&measured).unwrap();
    run.header.runtimes.iter_mut().find(|info| info.id.as_str() == "wasm3/eager").unwrap().class = Class::Process;
    let fails = |record: &&mut Record| record.cell.to_string() == "wasmi/lazy wat/empty warm";
    for record in run.records.iter_mut().filter(fails) {
        record.result = Err(MeasureError::Failure(Failure::host("out of </script> <b>luck</b>")));
    }
    let into = folder.path().join("run");
    store(&run, &into).unwrap();
    isobar().arg("report").arg(&into).assert().success();
    (folder, into, run)
}

fn address(file: &Path) -> String {
    format!("file://{}", file.display())
}

/// The texts or numbers of a column of the table of all cells, of the rows that are seen.
fn column(page: &mut Page, of_row: &str) -> Vec<serde_json::Value> {
    let seen = "[...document.querySelectorAll('#cells tbody tr')].filter(row => !row.hidden)";
    page.evaluate(&format!("{seen}.map(row => {of_row})")).as_array().unwrap().clone()
}

const NUMBER: &str = "(({ dataset }) => dataset.v === undefined ? null : dataset.u === 'ns' ? Number(dataset.v) : 'another unit')\
                      (row.querySelector('td a').parentElement)";

fn is_quiet(page: &mut Page) {
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(mut chromium) = Chromium::start() else { return };
    let (_folder, run_folder, run) = report();
    let url = address(&run_folder.join("report.html"));
    let mut page = chromium.open(&url, (1300, 900), false);
    tables_sort(&mut page);
    cells_are_found(&mut page);
    a_cell_has_a_page(&mut page, &run);
    is_quiet(&mut page);
    assert!(
        page.requests().iter().all(|request| *request == url || request.starts_with("blob:")),
        "{:?}",
        page.requests()
    );
    fits_everywhere(&mut page);
    is_quiet(&mut page);
    let mut dark = chromium.open(&url, (1300, 900), true);
    is_dark(&mut dark);
    is_quiet(&mut dark);
}

fn tables_sort(page: &mut Page) {
    let head = "#cells thead th:nth-child(5)";
    let sort = format!("document.querySelector('{head}').getAttribute('aria-sort')");
    assert_eq!(page.text(&format!("document.querySelector('{head}').textContent")), "Number");
    for (wanted, ascending) in [("ascending", true), ("descending", false), ("ascending", true)] {
        page.click(&format!("{head} button"));
        assert_eq!(page.text(&sort), wanted);
        // Seconds are not compared with bytes.
        let mut numbers = column(page, NUMBER);
        numbers.retain(|number| number != "another unit");
        let (last, measured) = numbers.split_last().unwrap();
        assert!(last.is_null(), "what failed comes last");
        let measured: Vec<f64> = measured.iter().map(|number| number.as_f64().unwrap()).collect();
        assert!(
            measured.len() > 12 && measured.is_sorted_by(|a, b| if ascending { a <= b } else { a >= b }),
            "{measured:?}"
        );
    }
    // Names sort as texts, and one column at a time.
    page.click("#cells thead th:first-child button");
    let names = column(page, "row.cells[0].textContent");
    assert!(names.is_sorted_by(|a, b| a.as_str() <= b.as_str()), "{names:?}");
    assert_eq!(page.evaluate("document.querySelectorAll('#cells [aria-sort]').length"), json!(1));
    // So do the tables of the functions.
    page.evaluate("document.querySelector('table.numbers:not(.all)').id = 'first'");
    page.click("#first thead th:nth-child(3) button");
    assert_eq!(page.text("document.querySelector('#first th:nth-child(3)').getAttribute('aria-sort')"), "ascending");
}

fn cells_are_found(page: &mut Page) {
    let all = column(page, "row.cells[0].textContent").len();
    page.click("#search");
    page.type_text("WASM3 warm");
    let found = column(page, "row.textContent");
    assert!(found.len() == 4 && found.iter().all(|row| row.as_str().unwrap().contains("wasm3")), "{found:?}");
    assert_eq!(page.text("document.getElementById('shown').value"), format!("4 of {all} cells"));
    let choose = |page: &mut Page, name: &str, value: &str| {
        let select = format!("document.getElementById('by-{name}')");
        page.evaluate(&format!("{select}.value = '{value}', {select}.dispatchEvent(new Event('change'))"));
    };
    choose(page, "class", "process");
    assert_eq!(column(page, "row.cells[0].textContent"), ["wasm3/eager", "wasm3/eager"]);
    choose(page, "function", "wat/empty");
    assert_eq!(column(page, "row.cells[2].textContent"), ["wat/empty"]);
    page.click("#clear");
    assert_eq!(column(page, "row.cells[0].textContent").len(), all);
    choose(page, "runtime", "wasmi/lazy");
    choose(page, "scenario", "warm");
    let failed = column(page, "row.querySelector('.failed') !== null");
    assert_eq!(failed.iter().filter(|failed| **failed == json!(true)).count(), 1, "{failed:?}");
    page.click("#clear");
}

fn a_cell_has_a_page(page: &mut Page, run: &Run) {
    // What is saved is kept here instead.
    page.evaluate("URL.createObjectURL = blob => { window.saved = blob; return 'blob:kept' }; HTMLAnchorElement.prototype.click = () => {}");
    page.click("a[href='#cell=wasmi/eager,wat/empty,warm']");
    let shown = "new Promise(done => { const look = () => document.querySelector('#drawing svg') ? done(true) : setTimeout(look, 20); look() })";
    assert_eq!(page.evaluate(shown), json!(true));
    assert_eq!(page.evaluate("document.getElementById('main').hidden"), json!(true));
    assert!(page.text("document.querySelector('#cell h2').textContent").contains("in wasmi/eager"));
    assert!(page.evaluate("document.querySelectorAll('#drawing .bar').length").as_u64().unwrap() > 0);
    assert_eq!(page.evaluate("document.querySelectorAll('#drawing .dot').length"), json!(2), "a dot for each process");
    let all = rows(run);
    let row = all.iter().find(|row| row.cell.to_string() == "wasmi/eager wat/empty warm").unwrap();
    let text = row.measured().unwrap().histogram.clone().unwrap();
    page.click("#save-log");
    assert!(page.text("saved.text()").trim_end().ends_with(&text), "HdrHistogram's tools can read it");
    // The page counts what the records count.
    page.click("#save-csv");
    let (histogram, csv) = (Histogram::decode(&text).unwrap(), page.text("saved.text()"));
    let counts: Vec<(f64, u64)> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let (value, count) = line.split_once(',').unwrap();
            (value.parse().unwrap(), count.parse().unwrap())
        })
        .collect();
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), histogram.count());
    let mut below = 0;
    for (value, count) in &counts {
        below += count;
        let percentile = (below as f64 - 0.5) * 100.0 / histogram.count() as f64;
        let known = histogram.percentile(percentile) as f64;
        assert!((known - value).abs() <= 1.0 + known * 0.001, "{percentile}: {value}, not {known}");
    }
    // A cell without a histogram has its samples, one that failed its reason.
    page.evaluate("location.hash = '#cell=wasmi/eager,wat/empty,throughput/1'");
    page.click("#save-csv");
    let row = all.iter().find(|row| row.cell.to_string() == "wasmi/eager wat/empty throughput/1").unwrap();
    assert_eq!(page.text("saved.text()").lines().count(), 1 + row.measured().unwrap().summary.samples);
    page.evaluate("location.hash = '#cell=wasmi/lazy,wat/empty,warm'");
    assert!(page.text("document.getElementById('cell').textContent").contains("out of </script> <b>luck</b>"));
    page.evaluate("location.hash = '#all-cells'");
    assert_eq!(page.evaluate("document.getElementById('cell').hidden"), json!(true));
}

fn fits_everywhere(page: &mut Page) {
    page.resize(400, 800);
    for hash in [
        "#main",
        "#cell=wasmi/eager,wat/empty,cold",
        "#cell=wasm3/lazy,wat/empty,density",
        "#cell=wasmi/lazy,wat/empty,warm",
    ] {
        page.evaluate(&format!("location.hash = '{hash}'; new Promise(done => setTimeout(done, 100))"));
        assert_eq!(page.too_wide(), Vec::<String>::new(), "{hash}");
        assert_eq!(page.evaluate("document.documentElement.scrollWidth"), json!(400), "{hash}");
    }
    // On paper everything is dark on white, and nothing that is clicked is there.
    page.evaluate("location.hash = '#main'");
    page.prefer("dark", "print");
    assert_eq!(page.text("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    assert_eq!(
        page.evaluate("[...document.querySelectorAll('nav, :not(th) > button')].filter(e => e.offsetParent).length"),
        json!(0)
    );
}

fn is_dark(page: &mut Page) {
    let paper = page.text("getComputedStyle(document.body).backgroundColor");
    assert_eq!(paper, "rgb(21, 24, 28)");
    assert_eq!(page.text("getComputedStyle(document.body).color"), "rgb(232, 234, 237)");
    assert_eq!(page.text("getComputedStyle(document.querySelector('svg.chart > rect')).fill"), paper);
}

#[test]
fn a_report_is_printed_and_spliced() {
    let (folder, run, _) = report();
    let output = |args: &[&str]| {
        let output = isobar().arg("report").arg(&run).args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (format, file) in [("markdown", "report.md"), ("html", "report.html")] {
        let written = std::fs::read_to_string(run.join(file)).unwrap();
        assert_eq!(output(&["--format", format]), (Some(0), written, String::new()));
    }
    let markdown = std::fs::read_to_string(run.join("report.md")).unwrap();
    assert!(
        markdown.contains("isobar run --quick --filter 'wasm3/*'") && markdown.contains("--seed 5\n"),
        "{markdown}"
    );
    let document = folder.path().join("document.md");
    std::fs::write(&document, "before\n<!-- isobar:charts warm -->\n<!-- /isobar -->\nafter\n").unwrap();
    let path = document.to_str().unwrap();
    let (code, stdout, _) = output(&["--splice", path]);
    assert!(code == Some(0) && stdout.ends_with(&format!("spliced {path}\n")), "{stdout}");
    let text = std::fs::read_to_string(&document).unwrap();
    assert!(
        text.starts_with("before\n") && text.ends_with("\nafter\n") && text.contains("](run/charts/warm.svg)"),
        "{text}"
    );
    let (_, stdout, _) = output(&["--splice", path]);
    assert!(stdout.ends_with(&format!("as it was {path}\n")), "{stdout}");
    std::fs::write(&document, "nothing\n").unwrap();
    let (code, _, stderr) = output(&["--splice", path]);
    assert!(
        code == Some(2) && stderr.contains("has no part to refresh") && stderr.trim_end().lines().count() == 1,
        "{stderr}"
    );
}
