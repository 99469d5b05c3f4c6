//! Memory per live instance: slopes with their intervals, and how many instances fit into a gibibyte.

use super::figure::{Anchor, Figure, Text};
use super::points::Points;
use super::style::{SMALL, SOFT};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::{self, Quantity};

/// Room for the number of instances at the right of the slope.
const INSTANCES: f64 = 80.0;

const DENSITY: Points = Points {
    scenario: "density",
    title: "Memory per instance: lower is better",
    words: "What one more live instance adds to the memory (PSS) of a process that holds many of one function: the slope \
            over 1, 2, 4, ... instances. The line through a dot is its 95 % interval, where it is wider than the dot. At \
            the right: the slope, and how many instances fit into 1 GiB. Logarithmic axes: the same distance is the same \
            factor.",
    quantity: Quantity::Bytes,
    label: 148.0,
    draw_row: |figure, summary, right, middle| {
        let slope = Text::new(Quantity::Bytes.show(summary.median), right - INSTANCES, middle, SMALL);
        figure.text(slope.anchor(Anchor::End));
        let instances = Text::new(format!("{}/GiB", units::per_gib(summary.median)), right, middle, SMALL);
        figure.text(instances.anchor(Anchor::End).colour(SOFT));
    },
};

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    DENSITY.draw(run, rows)
}
