//! Heat maps: names and runtimes, a number in every cell, its colour on a logarithmic scale.

use super::figure::{Anchor, Figure, Text};
use super::font;
use super::page;
use super::style::{Axis, Colour, FAILED, MARGIN, RULE, SLACK, SMALL, SOFT, STRIPE, TINY, WIDTH};
use crate::report::summary::shorten;
use isobar_core::RuntimeId;

/// Viridis by van der Walt and Smith in nine steps, from the best to the worst: people with any colour vision see the same
/// order, and so does a grey copy. The same on light and dark pages.
const SCALE: [Colour; 9] = [
    Colour(253, 231, 37),
    Colour(173, 220, 48),
    Colour(94, 201, 98),
    Colour(40, 174, 128),
    Colour(33, 145, 140),
    Colour(44, 114, 142),
    Colour(59, 82, 139),
    Colour(71, 45, 123),
    Colour(68, 1, 84),
];

/// Text on the scale; no colour of the page, which would change with it.
const ON_SCALE: [Colour; 2] = [Colour(0, 0, 0), Colour(254, 254, 254)];

/// The height of a cell, and the room between cells.
const CELL: f64 = 25.0;
const GAP: f64 = 2.0;
/// No cell is narrower; what does not fit beside each other comes below.
const NARROWEST: f64 = 58.0;
/// The most lines that a mode's name is broken into.
const LINES: usize = 4;
const LINE: f64 = 13.0;
/// The longest name of a language.
pub(super) const LONGEST_LANGUAGE: usize = 28;
/// The longest description of a function.
const LONGEST_DESCRIPTION: usize = 100;
/// The scale's legend.
const LEGEND: f64 = 300.0;

/// A heat map.
pub(super) struct Map<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// The columns.
    pub(super) runtimes: &'a [&'a RuntimeId],
    /// The rows: their names, and a cell for each runtime.
    pub(super) rows: Vec<(&'a str, Vec<Cell>)>,
    /// The values that are marked on the scale, with their labels.
    pub(super) marks: &'a dyn Fn(&Axis) -> Vec<(f64, String)>,
}

/// A cell of a heat map.
pub(super) enum Cell {
    /// Not measured.
    Missing,
    /// What happened, in a word.
    Failed(String),
    /// A value, and how it is shown.
    Value(f64, String),
}

/// Draws a map from `top` on; returns how far down it reaches.
pub(super) fn draw(figure: &mut Figure, map: &Map, top: f64) -> f64 {
    let (x, width) = (MARGIN, WIDTH - 2.0 * MARGIN);
    let mut y = page::heading(figure, map.title, x, top, width);
    let after = x + font::width(&shorten(map.title, page::LONGEST_NAME), 14.0, true) * SLACK + 14.0;
    figure.text(Text::new(shorten(map.description, LONGEST_DESCRIPTION), after, top + 9.0, SMALL).colour(SOFT));
    let values = |(_, cells): &(_, Vec<Cell>)| {
        let value = |cell: &Cell| if let Cell::Value(value, _) = cell { Some(*value) } else { None };
        cells.iter().filter_map(value).collect::<Vec<f64>>()
    };
    let values: Vec<f64> = map.rows.iter().flat_map(values).collect();
    let scale = Axis::log(values.iter().copied(), 0.0, 1.0);
    y = legend(figure, &values, map.marks, x, y);
    let names = map.rows.iter().map(|(name, _)| shorten(name, LONGEST_LANGUAGE));
    let names = names.map(|name| font::width(&name, SMALL, false)).fold(0.0, f64::max) * SLACK + 12.0;
    let fits = ((width - names) / NARROWEST).floor().max(1.0) as usize;
    // In as many parts as are needed, all about as wide.
    let columns = map.runtimes.len().div_ceil(map.runtimes.len().div_ceil(fits).max(1)).max(1);
    let cell = (width - names) / columns.max(8) as f64;
    for first in (0..map.runtimes.len()).step_by(columns) {
        let range = first..(first + columns).min(map.runtimes.len());
        y = heads(figure, &map.runtimes[range.clone()], (x + names, y), cell);
        for (name, cells) in &map.rows {
            figure.text(Text::new(shorten(name, LONGEST_LANGUAGE), x, y + CELL / 2.0, SMALL));
            for (at, value) in cells[range.clone()].iter().enumerate() {
                draw_cell(figure, value, &scale, (x + names + at as f64 * cell, y), cell);
            }
            y += CELL;
        }
        y += 12.0;
    }
    y
}

/// The scale with its ticks, and what the grey cells mean; returns how far down it reaches.
fn legend(figure: &mut Figure, values: &[f64], marks: &dyn Fn(&Axis) -> Vec<(f64, String)>, x: f64, y: f64) -> f64 {
    const STEPS: u32 = 60;
    let mut right = x;
    if !values.is_empty() {
        let axis = Axis::log(values.iter().copied(), x, x + LEGEND);
        for step in 0..STEPS {
            let share = f64::from(step) / f64::from(STEPS - 1);
            // Each step covers the rest of those before it: no seams where the drawing is scaled.
            let before = f64::from(step) * LEGEND / f64::from(STEPS);
            figure.rect(x + before, y + 8.0, LEGEND - before, 10.0, colour(share));
        }
        for (tick, label) in marks(&axis) {
            let at = axis.at(tick);
            figure.line((at, y + 18.0), (at, y + 22.0), 1.0, SOFT);
            // A tick near the end of the scale.
            let half = font::width(&label, TINY, false) * SLACK / 2.0;
            page::tick(figure, label, at.max(x + half), y + 30.0);
        }
        right += LEGEND + 48.0;
    }
    figure.rect(right, y + 7.0, 26.0, 12.0, STRIPE);
    let words = "failed: what happened, in a word · –: not measured";
    figure.text(Text::new(words, right + 34.0, y + 13.0, SMALL).colour(SOFT));
    y + 48.0
}

/// The names of runtimes above their columns, the family once for all of its modes; returns how far down they reach.
fn heads(figure: &mut Figure, runtimes: &[&RuntimeId], (x, top): (f64, f64), cell: f64) -> f64 {
    let modes: Vec<Vec<String>> = runtimes.iter().map(|id| lines(mode(id), cell - 4.0)).collect();
    let height = modes.iter().map(Vec::len).max().unwrap_or(0) as f64 * LINE;
    let mut at = x;
    for family in runtimes.chunk_by(|a, b| a.family() == b.family()) {
        let width = cell * family.len() as f64 - GAP;
        let name = fitting(family[0].family(), width);
        figure.text(Text::new(name, at, top + 6.0, TINY).bold());
        figure.line((at, top + 15.0), (at + width, top + 15.0), 1.0, RULE);
        at += cell * family.len() as f64;
    }
    for (at, lines) in modes.iter().enumerate() {
        let middle = x + (at as f64 + 0.5) * cell - GAP / 2.0;
        for (line, y) in lines.iter().zip(0..) {
            let y = top + 25.0 + f64::from(y) * LINE;
            figure.text(Text::new(line, middle, y, TINY).colour(SOFT).anchor(Anchor::Middle));
        }
    }
    top + 20.0 + height + 4.0
}

fn mode(id: &RuntimeId) -> &str {
    id.as_str().split_once('/').map_or(id.as_str(), |(_, mode)| mode)
}

/// A mode's name broken before `-` and `+` into lines of this width; what is too long ends with an ellipsis.
fn lines(mode: &str, width: f64) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for c in mode.chars() {
        match parts.last_mut() {
            Some(part) if !matches!(c, '-' | '+') => part.push(c),
            _ => parts.push(c.into()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line}{part}")) <= width => line.push_str(&part),
            _ => lines.push(part),
        }
    }
    if lines.len() > LINES {
        let rest = lines.split_off(LINES - 1).concat();
        lines.push(rest);
    }
    lines.iter().map(|line| fitting(line, width)).collect()
}

fn text_width(text: &str) -> f64 {
    font::width(text, TINY, true) * SLACK
}

/// `text`, cut to this width.
fn fitting(text: &str, width: f64) -> String {
    page::fitting(text, width, TINY, true)
}

fn draw_cell(figure: &mut Figure, cell: &Cell, scale: &Axis, (x, y): (f64, f64), width: f64) {
    let (text, fill, ink) = match cell {
        Cell::Missing => ("–".to_owned(), STRIPE, SOFT),
        Cell::Failed(what) => (word(what, width - GAP - 4.0), STRIPE, FAILED),
        Cell::Value(value, text) => {
            let fill = colour(scale.at(*value));
            (text.clone(), fill, ink_on(fill))
        }
    };
    figure.rect(x, y, width - GAP, CELL - GAP, fill);
    let middle = (x + (width - GAP) / 2.0, y + (CELL - GAP) / 2.0);
    figure.text(Text::new(text, middle.0, middle.1, TINY).colour(ink).anchor(Anchor::Middle));
}

/// What happened, as far as there is room for it.
fn word(what: &str, width: f64) -> String {
    if text_width(what) <= width { what.to_owned() } else { "failed".to_owned() }
}

/// The colour of a share from 0, the best, to 1.
fn colour(share: f64) -> Colour {
    let place = share.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let below = (place as usize).min(SCALE.len() - 2);
    let (a, b, part) = (SCALE[below], SCALE[below + 1], place - below as f64);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    Colour(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// The ink that is easier to read on `fill`.
fn ink_on(fill: Colour) -> Colour {
    let [black, white] = ON_SCALE;
    if contrast(black, fill) >= contrast(white, fill) { black } else { white }
}

/// The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// WCAG 2.2, "relative luminance".
fn luminance(Colour(r, g, b): Colour) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::super::style::DARK;
    use super::*;

    #[test]
    fn numbers_are_readable_on_every_colour_of_the_scale() {
        for fill in (0..=1000).map(|i| colour(f64::from(i) / 1000.0)) {
            // WCAG 2.2 asks for 4.5.
            assert!(contrast(ink_on(fill), fill) >= 4.5, "{fill:?}");
            assert!(DARK.iter().all(|(light, _)| *light != fill && *light != ink_on(fill)), "{fill:?} changes");
        }
        assert!((contrast(Colour(0, 0, 0), Colour(255, 255, 255)) - 21.0).abs() < 1e-9);
    }

    #[test]
    fn the_scale_gets_darker_with_every_step() {
        let light: Vec<f64> = (0..=100).map(|i| luminance(colour(f64::from(i) / 100.0))).collect();
        assert!(light.windows(2).all(|pair| pair[0] > pair[1]), "{light:?}");
        assert_eq!((colour(-1.0), colour(2.0)), (SCALE[0], SCALE[8]));
    }

    #[test]
    fn a_mode_is_broken_where_it_is_joined() {
        assert_eq!(lines("cranelift-aot+pooling", 58.0), ["cranelift", "-aot", "+pooling"]);
        assert_eq!(lines("lazy", 58.0), ["lazy"]);
        let many = lines(&"abcdef-".repeat(20), 58.0);
        assert!(many.len() == LINES && many[LINES - 1].ends_with('…'), "{many:?}");
        assert!(lines("", 58.0).is_empty() && lines("aaaaaaaaaaaaaaaaaaaa", 58.0)[0].ends_with('…'));
    }
}
