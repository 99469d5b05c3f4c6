//! Warm invocations: all percentiles, up to the slowest that there are samples for.

use super::families::{self, Label, Line, Point, Style};
use super::figure::Figure;
use super::page::{self, NO_LEGEND, Page};
use super::samples::Index;
use crate::record::Run;
use crate::report::Row;
use crate::report::units::Quantity;

const WORDS: &str = "The time that so many per cent of all warm invocations do not exceed, on the scale of HdrHistogram: each \
                     mark has a tenth of the invocations of the one before it beyond it, so that the slow ones have room. A \
                     curve ends where fewer than one sample lies beyond. One panel for each family, the others faint behind \
                     it; the panels of a function share one logarithmic axis. At the right: the median and the 99th \
                     percentile.";

/// Room for a mark.
const ROOM: f64 = 48.0;
/// What the curves are drawn to: 99.999 %.
const NINES: f64 = 5.0;
/// How many places a curve has for each nine.
const STEPS: usize = 12;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let index = Index::of(run);
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "warm").collect();
    let sorted: Vec<Vec<f64>> = rows.iter().map(|row| index.sorted(&row.cell)).collect();
    let most = rows.iter().zip(&sorted).filter(|(row, _)| row.outcome.is_ok()).map(|(_, samples)| samples.len());
    let end = (most.max().unwrap_or(1) as f64).log10().clamp(1.0, NINES);
    let mut functions: Vec<(&str, Vec<Line>)> = Vec::new();
    for (row, samples) in rows.iter().zip(&sorted) {
        if functions.last().is_none_or(|(name, _)| *name != row.cell.function) {
            functions.push((&row.cell.function, Vec::new()));
        }
        if let Some((_, lines)) = functions.last_mut() {
            lines.push(line(row, samples, end));
        }
    }
    functions.iter_mut().for_each(|(_, lines)| lines.sort_by(|a, b| a.runtime.cmp(b.runtime)));
    let style = Style {
        quantity: Quantity::Time,
        marks: &|width| marks(end, width),
        places: "percentile",
        dots: false,
        lines: 0,
    };
    let mut page = Page::new("Percentiles of warm invocations: lower is better", WORDS, NO_LEGEND);
    families::draw(&mut page, &functions, &style);
    page.finish(run)
}

fn line<'a>(row: &'a Row, samples: &[f64], end: f64) -> Line<'a> {
    let name = families::mode(&row.cell.runtime);
    let (points, label) = match &row.outcome {
        Err(failed) => (vec![], Label { text: format!("{name} {}", page::failure(failed)), failed: true }),
        Ok(measured) => {
            let points = points(samples, end);
            let slow = measured.percentiles.and_then(|percentiles| percentiles[1]);
            let slow = slow.map_or_else(String::new, |ns| format!(", p99 {}", Quantity::Time.show(ns)));
            (
                points,
                Label { text: format!("{name} {}{slow}", Quantity::Time.show(measured.summary.median)), failed: false },
            )
        }
    };
    Line { runtime: &row.cell.runtime, class: row.class, points, labels: vec![label] }
}

/// A point for each of many percentiles, as far as there are samples beyond it.
fn points(sorted: &[f64], end: f64) -> Vec<Point> {
    let last = (sorted.len() as f64).log10().min(end);
    let steps = (last * STEPS as f64).floor() as usize;
    let point = |step: usize| {
        let nines = step as f64 / STEPS as f64;
        let below = ((1.0 - 10_f64.powf(-nines)) * sorted.len() as f64).ceil() as usize;
        let value = *sorted.get(below.max(1) - 1)?;
        Some(Point { place: nines / end, value: [value; 3], gap: false })
    };
    (0..=steps).filter_map(point).collect()
}

/// `0 %`, `90 %`, `99 %`, ..., and the median.
fn marks(end: f64, width: f64) -> Vec<(f64, String)> {
    let nines = |n: i32| match n {
        0 => "0 %".to_owned(),
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        n => format!("99.{} %", "9".repeat(n as usize - 2)),
    };
    let marks = (0..=end.floor() as i32).map(|n| (f64::from(n) / end, nines(n)));
    let median = (2_f64.log10() / end, "50 %".to_owned());
    // Where there is room for it.
    let median = Some(median).filter(|(place, _)| place * width > ROOM);
    marks.chain(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_hold_their_percentiles() {
        let sorted: Vec<f64> = (1..=1000).map(f64::from).collect();
        let points = points(&sorted, 4.0);
        let at = |nines: f64| points.iter().find(|p| (p.place - nines / 4.0).abs() < 1e-9).unwrap().value[0];
        assert_eq!([at(0.0), at(1.0), at(2.0), at(3.0)], [1.0, 900.0, 990.0, 999.0]);
        // Nothing lies beyond 99.9 % of a thousand.
        assert_eq!(points.len(), 3 * STEPS + 1);
        assert!(points.windows(2).all(|pair| pair[0].value[0] <= pair[1].value[0]));
        assert!(super::points(&[], 4.0).is_empty());
        assert_eq!(super::points(&[7.0], 4.0).len(), 1);
    }

    #[test]
    fn marks_are_within() {
        for end in [1.0, 2.4, 3.0, 5.0] {
            assert!(marks(end, 100.0).iter().all(|(place, _)| (0.0..=1.0).contains(place)), "{end}");
        }
        assert_eq!((marks(2.0, 100.0).len(), marks(2.0, 800.0).len()), (3, 4));
        assert_eq!(marks(5.0, 100.0)[4].1, "99.99 %");
    }
}
