//! Ratios to a reference, with values that others published beside ours.

use super::figure::{Figure, Text};
use super::font;
use super::page::{self, Page};
use super::style::{Axis, Colour, FAILED, INK, PALETTE, RULE, SLACK, SMALL, SOFT, TINY};

/// A chart of ratios to a reference: here and as published.
pub struct Published<'a> {
    /// Its title, which says what is better.
    pub title: &'a str,
    /// What it shows, in words.
    pub words: &'a str,
    /// Where and how it was measured: [`footer`](super::footer).
    pub footer: &'a str,
    /// What the two bars are: `here`, `thesis (t2.medium, 2023)`.
    pub names: [&'a str; 2],
    /// A panel each.
    pub panels: Vec<Panel<'a>>,
}

/// Bars on one axis.
pub struct Panel<'a> {
    /// Its name.
    pub name: &'a str,
    /// From top to bottom.
    pub bars: Vec<Bars<'a>>,
}

/// Two bars, as far as there are values.
pub struct Bars<'a> {
    /// What they are about: a runtime.
    pub name: &'a str,
    /// Ours, or in a few words why there is none.
    pub ours: Result<Bar, String>,
    /// The published one, or in a few words why there is none.
    pub theirs: Result<Bar, String>,
}

/// A ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The ratio.
    pub ratio: f64,
    /// The ends of its interval, if that is known.
    pub interval: Option<[f64; 2]>,
    /// What stands behind it: `1.35x, 535 ms`.
    pub text: String,
}

const COLOURS: [Colour; 2] = [PALETTE[0], PALETTE[4]];
/// The height of a bar, and of a pair with the room below it.
const BAR: f64 = 13.0;
const PAIR: f64 = 34.0;
const AXIS: f64 = 21.0;
/// How far beyond the largest ratio, and below the smallest, an axis goes for the sake of an interval: of two processes that
/// differ it has no useful end.
const BEYOND: f64 = 3.0;
/// A chart whose largest ratio is so many times its smallest has a logarithmic axis.
const LARGE: f64 = 40.0;

impl Published<'_> {
    /// Draws it.
    pub fn figure(&self) -> Figure {
        let legend = [(self.names[0], COLOURS[0]), (self.names[1], COLOURS[1])];
        let bars = || self.panels.iter().flat_map(|panel| &panel.bars).flat_map(|bars| [&bars.ours, &bars.theirs]);
        let ratios = || bars().filter_map(|bar| bar.as_ref().ok()).map(|bar| bar.ratio).filter(|ratio| *ratio > 0.0);
        let is_log = ratios().fold(0.0, f64::max) / ratios().fold(f64::INFINITY, f64::min) > LARGE;
        let mut words = self.words.to_owned();
        if is_log {
            words += " Logarithmic axes: only the ends of the bars mean something.";
        }
        if self.panels.iter().any(Panel::is_cut) {
            words += " An arrow: the interval goes on.";
        }
        let mut page = Page::new(self.title, &words, &legend);
        let names = self.panels.iter().flat_map(|panel| &panel.bars).map(|bars| font::width(bars.name, SMALL, false));
        let names = (names.fold(0.0, f64::max) * SLACK + 12.0).min(240.0);
        page.panels(&self.panels, |figure, panel, x, top, width| {
            let y = page::heading(figure, panel.name, x, top, width);
            if panel.bars.is_empty() {
                figure.text(Text::new("no values", x, y + 12.0, SMALL).colour(SOFT));
                return y + 24.0 - top;
            }
            let texts = panel.bars.iter().flat_map(|bars| [&bars.ours, &bars.theirs]).map(|bar| match bar {
                Ok(bar) => font::width(&bar.text, TINY, false),
                Err(_) => 0.0,
            });
            let label = (texts.fold(0.0, f64::max) * SLACK + 14.0).min((width - names) * 0.6);
            draw(figure, panel, is_log, (x, y, width), (names, label)) - top
        });
        page.finish_with(self.footer)
    }
}

impl Panel<'_> {
    fn known(&self) -> impl Iterator<Item = &Bar> + Clone {
        self.bars.iter().flat_map(|bars| [&bars.ours, &bars.theirs]).filter_map(|bar| bar.as_ref().ok())
    }

    /// Between which values an interval is drawn.
    fn extent(&self) -> [f64; 2] {
        let ratios = || self.known().map(|bar| bar.ratio).filter(|ratio| *ratio > 0.0);
        let (least, most) = (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max));
        if least <= most { [least / BEYOND, most * BEYOND] } else { [0.0, 1.0] }
    }

    fn is_cut(&self) -> bool {
        let [least, most] = self.extent();
        self.known().filter_map(|bar| bar.interval).any(|[low, high]| low < least || high > most)
    }
}

fn draw(
    figure: &mut Figure,
    panel: &Panel,
    is_log: bool,
    (x, mut y, width): (f64, f64, f64),
    (names, label): (f64, f64),
) -> f64 {
    let bars = panel.known();
    let [least, most] = panel.extent();
    let values = || {
        let ends = |bar: &Bar| bar.interval.into_iter().flatten().map(|end| end.clamp(least, most));
        bars.clone().flat_map(move |bar| ends(bar).chain([bar.ratio]))
    };
    let (start, end) = (x + names, x + width - label);
    let axis = if is_log {
        Axis::log(values(), start, end)
    } else {
        Axis::linear(nice(values().fold(1.0, f64::max)), start, end)
    };
    let bottom = y + AXIS + PAIR * panel.bars.len() as f64;
    for (tick, text) in axis.labels_by(|ratio| format!("{}x", plain(ratio))) {
        figure.line((axis.at(tick), y + AXIS - 4.0), (axis.at(tick), bottom), 1.0, RULE);
        page::tick(figure, text, axis.at(tick), y + 10.0);
    }
    y += AXIS;
    for bars in &panel.bars {
        let name = page::fitting(bars.name, names - 12.0, SMALL, false);
        figure.text(Text::new(name, x, y + 4.0 + BAR, SMALL));
        for ((bar, colour), place) in [&bars.ours, &bars.theirs].into_iter().zip(COLOURS).zip([0.0, BAR + 1.0]) {
            draw_bar(figure, bar, (&axis, [least, most]), colour, (start, y + 3.0 + place, x + width));
        }
        y += PAIR;
    }
    bottom
}

fn draw_bar(
    figure: &mut Figure,
    bar: &Result<Bar, String>,
    (axis, [least, most]): (&Axis, [f64; 2]),
    colour: Colour,
    (start, y, right): (f64, f64, f64),
) {
    let middle = y + BAR / 2.0;
    match bar {
        Ok(bar) => {
            let mut end = axis.at(bar.ratio);
            figure.rect(start, y, end - start, BAR, colour);
            if let Some([low, high]) = bar.interval {
                let from = axis.at(low.max(least));
                let to = axis.at(high.min(most)).max(from + 1.0);
                figure.line((from, middle), (to, middle), 1.5, INK);
                if low < least {
                    page::arrow(figure, (from, middle), -1.0);
                }
                if high > most {
                    page::arrow(figure, (to, middle), 1.0);
                }
                end = end.max(to);
            }
            let text = page::fitting(&bar.text, right - end - 6.0, TINY, false);
            figure.text(Text::new(text, end + 6.0, middle, TINY));
        }
        Err(why) => {
            let colour = if why.starts_with("failed") { FAILED } else { SOFT };
            let why = page::fitting(why, right - start - 6.0, TINY, false);
            figure.text(Text::new(why, start + 6.0, middle, TINY).colour(colour));
        }
    }
}

fn plain(ratio: f64) -> String {
    let text = format!("{ratio:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The next number that five steps divide well.
fn nice(value: f64) -> f64 {
    let power = 10_f64.powi(value.log10().floor() as i32);
    [1.0, 1.5, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * power).find(|end| *end >= value).unwrap_or(value)
}
