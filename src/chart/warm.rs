//! Warm invocations: medians with their intervals.

use super::figure::{Anchor, Figure, Text};
use super::points::Points;
use super::style::SMALL;
use crate::record::Run;
use crate::report::Row;
use crate::report::units::Quantity;

const WARM: Points = Points {
    scenario: "warm",
    title: "Warm invocation: lower is better",
    words: "Medians of a fresh sandbox for every invocation: instantiate, execute, release; of a process or a container: a new one. The line through a dot is its \
            95 % interval, where it is wider than the dot. Logarithmic axes: the same distance is the same factor.",
    quantity: Quantity::Time,
    label: 72.0,
    draw_row: |figure, summary, right, middle| {
        figure.text(Text::new(Quantity::Time.show(summary.median), right, middle, SMALL).anchor(Anchor::End));
    },
};

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    WARM.draw(run, rows)
}
