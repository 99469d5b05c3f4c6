//! A drawing as a list of shapes. Charts are functions from rows to figures; only `paint` knows about files.

use super::font;
use super::style::{Colour, INK};

/// Shapes on a page, in CSS pixels from the upper left corner; later ones cover earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// What is on it.
    pub shapes: Vec<Shape>,
}

/// A shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A filled rectangle: its upper left corner, its width and height.
    Rect([f64; 4], Colour),
    /// A line through these points, of this width.
    Line(Vec<(f64, f64)>, f64, Colour),
    /// A filled area within these points; of so much ink, from 0 to 1, that what is below shows through.
    Area(Vec<(f64, f64)>, f64, Colour),
    /// A filled circle: its centre and radius.
    Dot((f64, f64), f64, Colour),
    /// A line of text.
    Text(Text),
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// What it says.
    pub text: String,
    /// Where its side named by `anchor` is.
    pub x: f64,
    /// Where the middle of its lower-case letters is.
    pub y: f64,
    /// The size of its letters.
    pub size: f64,
    /// Whether it is semi-bold.
    pub bold: bool,
    /// Its colour.
    pub colour: Colour,
    /// Which side of it is at `x`.
    pub anchor: Anchor,
}

/// Which side of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its left side.
    Start,
    /// Its middle.
    Middle,
    /// Its right side.
    End,
}

impl Text {
    /// A text in plain ink that starts at `x`.
    pub fn new(text: impl Into<String>, x: f64, y: f64, size: f64) -> Self {
        Text { text: text.into(), x, y, size, bold: false, colour: INK, anchor: Anchor::Start }
    }

    /// In semi-bold.
    pub fn bold(self) -> Self {
        Text { bold: true, ..self }
    }

    /// In this colour.
    pub fn colour(self, colour: Colour) -> Self {
        Text { colour, ..self }
    }

    /// With this side at its place.
    pub fn anchor(self, anchor: Anchor) -> Self {
        Text { anchor, ..self }
    }

    /// Its width.
    pub fn width(&self) -> f64 {
        font::width(&self.text, self.size, self.bold)
    }

    /// Where its left side is.
    pub fn left(&self) -> f64 {
        match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - self.width() / 2.0,
            Anchor::End => self.x - self.width(),
        }
    }
}

impl Figure {
    /// An empty page.
    pub fn new(width: f64) -> Self {
        Figure { width, height: 0.0, shapes: Vec::new() }
    }

    /// Adds a text.
    pub fn text(&mut self, text: Text) {
        self.shapes.push(Shape::Text(text));
    }

    /// Adds a filled rectangle from its upper left corner.
    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, colour: Colour) {
        self.shapes.push(Shape::Rect([x, y, width, height], colour));
    }

    /// Adds a straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), width: f64, colour: Colour) {
        self.shapes.push(Shape::Line(vec![from, to], width, colour));
    }

    /// Adds a dot.
    pub fn dot(&mut self, x: f64, y: f64, radius: f64, colour: Colour) {
        self.shapes.push(Shape::Dot((x, y), radius, colour));
    }
}
