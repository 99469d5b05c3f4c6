//! Bars in blocks by powers of ten, each with an axis of its own: a second does not hide a millisecond.

use super::figure::Figure;
use super::page;
use super::style::{Axis, RULE, STRIPE};
use crate::report::units::Quantity;

/// Room for an axis above its block.
const AXIS: f64 = 21.0;

/// What a chart with blocks says about them.
pub(super) const WORDS: &str = "Each panel is cut into blocks by powers of ten, so that a second does not hide a \
                                millisecond; every block has an axis of its own: compare lengths within a block.";

/// Where the blocks of a panel are.
pub(super) struct Place {
    /// The panel's left side, and its width.
    pub(super) x: f64,
    pub(super) width: f64,
    /// The room for names at the left and for numbers at the right of the bars.
    pub(super) names: f64,
    pub(super) label: f64,
    /// The height of a row.
    pub(super) row: f64,
}

/// Draws `bars`, which are sorted by their lengths in nanoseconds, from `y` on; `draw` gets a bar, its axis and its upper
/// side. Returns how far down they reach.
pub(super) fn blocks<T>(
    figure: &mut Figure,
    bars: impl IntoIterator<Item = T>,
    place: &Place,
    mut y: f64,
    length_ns: impl Fn(&T) -> f64,
    mut draw: impl FnMut(&mut Figure, &T, &Axis, f64),
) -> f64 {
    // Sorted, bars of one decade stand together but for some at its edge.
    let mut blocks: Vec<(f64, Vec<T>)> = Vec::new();
    for bar in bars {
        let decade = decade(length_ns(&bar)).max(blocks.last().map_or(0.0, |(decade, _)| *decade));
        match blocks.last_mut().filter(|(last, _)| *last == decade) {
            Some((_, bars)) => bars.push(bar),
            None => blocks.push((decade, vec![bar])),
        }
    }
    for (decade, bars) in &blocks {
        let longest = bars.iter().map(&length_ns).fold(0.0, f64::max);
        let end = [0.2, 0.5].map(|share| share * decade).into_iter().find(|end| longest <= *end).unwrap_or(*decade);
        let axis = Axis::linear(end, place.x + place.names, place.x + place.width - place.label);
        let height = place.row * bars.len() as f64;
        figure.rect(place.x - 8.0, y + 4.0, place.width + 16.0, AXIS + height, STRIPE);
        y += 4.0;
        for (tick, label) in axis.labels(Quantity::Time) {
            let x = axis.at(tick);
            figure.line((x, y + AXIS - 4.0), (x, y + AXIS + height), 1.0, RULE);
            page::tick(figure, label, x, y + 10.0);
        }
        y += AXIS;
        for bar in bars {
            draw(figure, bar, &axis, y);
            y += place.row;
        }
        y += 4.0;
    }
    y
}

/// The power of ten that a bar is below, in nanoseconds.
fn decade(length_ns: f64) -> f64 {
    10_f64.powi(length_ns.max(1.0).log10().floor() as i32 + 1)
}
