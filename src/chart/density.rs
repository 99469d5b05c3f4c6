//! Memory per live instance: slopes with their intervals, and how many instances fit into a gibibyte.

use super::figure::{Anchor, Figure, Text};
use super::page::{self, Page, names_width};
use super::points;
use super::style::{Axis, Colour, ROW, SMALL, SOFT};
use crate::record::Run;
use crate::report::units::{self, Quantity};
use crate::report::{Measured, Row};

const WORDS: &str = "What one more live instance adds to the memory (PSS) of a process that holds many of one function: \
                     the slope over 1, 2, 4, ... instances. The line through a dot is its 95 % interval, where it is wider \
                     than the dot. At the right: the slope, and how many instances fit into 1 GiB. Logarithmic axes: the \
                     same distance is the same factor.";

/// Room for the numbers at the right: the slope, and the instances.
const LABEL: f64 = 148.0;
const INSTANCES: f64 = 80.0;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "density").collect();
    let legend = points::families(&rows);
    let mut page = Page::new("Memory per instance: lower is better", WORDS, &legend);
    let names = names_width(&rows);
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, y, width| draw_panel(figure, panel, &legend, (x, y, width), names));
    page.finish(run)
}

fn draw_panel(
    figure: &mut Figure,
    panel: &[&Row],
    families: &[(&str, Colour)],
    (x, top, width): (f64, f64, f64),
    names: f64,
) -> f64 {
    let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
    let measured: Vec<(&Row, &Measured)> = panel.iter().filter_map(|row| Some((*row, row.measured()?))).collect();
    if !measured.is_empty() {
        let values = measured.iter().flat_map(|(_, m)| [m.summary.low, m.summary.median, m.summary.high]);
        // Nobody counts single bytes of pages; an interval may reach below nothing.
        let axis = Axis::log(values.map(|bytes| bytes.max(1024.0)), x + names, x + width - LABEL);
        points::axis(figure, &axis, Quantity::Bytes, y, measured.len());
        y += points::AXIS;
        for (row, measured) in measured {
            page::name(figure, row, x, y);
            points::point(figure, &measured.summary, &axis, points::colour_of(row, families), y);
            let (bytes, middle) = (measured.summary.median, y + ROW / 2.0);
            let number = Text::new(Quantity::Bytes.show(bytes), x + width - INSTANCES, middle, SMALL);
            figure.text(number.anchor(Anchor::End));
            let instances = Text::new(format!("{}/GiB", units::per_gib(bytes)), x + width, middle, SMALL);
            figure.text(instances.anchor(Anchor::End).colour(SOFT));
            y += ROW;
        }
    }
    points::failures(figure, panel, names, x, y) - top
}
