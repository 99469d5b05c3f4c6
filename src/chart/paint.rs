//! Figures as files.

use super::figure::{Anchor, Figure, Shape, Text};
use super::font;
use super::style::{Colour, DARK, PAPER};
use plotters::prelude::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, TextStyle};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;

/// Both files are drawn with so many pixels for one of the figure's. An SVG says that it is that much smaller, so that
/// its whole numbers are fine enough.
const SCALE: f64 = 2.0;

/// What plotters said.
pub(super) type PaintError = Box<dyn Error + Send + Sync>;

/// The figure as SVG. Where a browser prefers dark pages, paper and ink change.
pub(super) fn svg(figure: &Figure, title: &str) -> Result<String, PaintError> {
    let mut body = String::new();
    let size = size(figure);
    let mut backend = SVGBackend::with_string(&mut body, size);
    paint(figure, &mut backend, PAPER, svg_text)?;
    drop(backend);
    let drawing = body.split_once('\n').map_or("", |(_, drawing)| drawing);
    let (width, height) = (figure.width.round(), figure.height.round());
    let title = escape(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         role=\"img\">\n<title>{title}</title>\n<style>\n@media (prefers-color-scheme: dark) {{\n",
        size.0, size.1
    );
    for (light, dark) in DARK {
        let (light, dark) = (hex(light), hex(dark));
        writeln!(svg, "[fill=\"{light}\"] {{ fill: {dark} }} [stroke=\"{light}\"] {{ stroke: {dark} }}")?;
    }
    svg.extend(["}\n</style>\n", drawing]);
    Ok(svg)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The figure as PNG, for a light page or for a dark one.
pub(super) fn png(figure: &Figure, dark: bool) -> Result<Vec<u8>, PaintError> {
    let (width, height) = size(figure);
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let mut backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
    if dark {
        paint(&darkened(figure), &mut backend, PAPER.on_dark(), bitmap_text)?;
    } else {
        paint(figure, &mut backend, PAPER, bitmap_text)?;
    }
    drop(backend);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_chunk(png::chunk::IDAT, &packed(&pixels, width as usize * 3)?)?;
    Ok(file)
}

/// The rows of a picture, packed. At the first level this takes a fifth of the time of png's own one, which is half of all
/// the time that a report takes, and the file is a third larger. Charts are plain areas: best without a filter.
fn packed(pixels: &[u8], row_bytes: usize) -> std::io::Result<Vec<u8>> {
    const NO_FILTER: u8 = 0;
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for row in pixels.chunks(row_bytes) {
        packer.write_all(&[NO_FILTER])?;
        packer.write_all(row)?;
    }
    packer.finish()
}

/// The figure in the colours of a dark page.
fn darkened(figure: &Figure) -> Figure {
    let mut figure = figure.clone();
    for shape in &mut figure.shapes {
        let colour = match shape {
            Shape::Rect(_, colour) | Shape::Line(_, _, colour) | Shape::Area(_, _, colour) => colour,
            Shape::Dot(_, _, colour) => colour,
            Shape::Text(text) => &mut text.colour,
        };
        *colour = colour.on_dark();
    }
    figure
}

fn size(figure: &Figure) -> (u32, u32) {
    ((figure.width * SCALE).round() as u32, (figure.height * SCALE).round() as u32)
}

fn hex(Colour(r, g, b): Colour) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

fn paint<B: DrawingBackend>(
    figure: &Figure,
    backend: &mut B,
    paper: Colour,
    text: fn(&mut B, &Text) -> Result<(), PaintError>,
) -> Result<(), PaintError>
where
    B::ErrorType: 'static,
{
    let (width, height) = size(figure);
    backend.draw_rect((0, 0), (width as i32, height as i32), &ink(paper).filled(), true)?;
    for shape in &figure.shapes {
        match shape {
            Shape::Rect([x, y, width, height], colour) => {
                backend.draw_rect(at((*x, *y)), at((x + width, y + height)), &ink(*colour).filled(), true)?;
            }
            Shape::Line(points, width, colour) => line(backend, points, *width, *colour)?,
            Shape::Area(points, share, colour) => {
                let mut points: Vec<(i32, i32)> = points.iter().map(|p| at(*p)).collect();
                points.dedup();
                if points.len() > 2 {
                    backend.fill_polygon(points, &ink(*colour).mix(*share).filled())?;
                }
            }
            Shape::Dot(centre, radius, colour) => {
                backend.draw_circle(at(*centre), (radius * SCALE).round() as u32, &ink(*colour).filled(), true)?;
            }
            Shape::Text(line) => text(backend, line)?,
        }
    }
    backend.present()?;
    Ok(())
}

/// Upright and level lines are rectangles: crisp in both files.
fn line<B: DrawingBackend>(backend: &mut B, points: &[(f64, f64)], width: f64, colour: Colour) -> Result<(), PaintError>
where
    B::ErrorType: 'static,
{
    let half = width / 2.0;
    if let [a, b] = points
        && (a.0 == b.0 || a.1 == b.1)
    {
        let across = if a.0 == b.0 { (half, 0.0) } else { (0.0, half) };
        let (from, to) =
            ((a.0.min(b.0) - across.0, a.1.min(b.1) - across.1), (a.0.max(b.0) + across.0, a.1.max(b.1) + across.1));
        backend.draw_rect(at(from), at(to), &ink(colour).filled(), true)?;
        return Ok(());
    }
    let mut points: Vec<(i32, i32)> = points.iter().map(|p| at(*p)).collect();
    // The rasteriser divides by the distance of neighbours.
    points.dedup();
    if points.len() > 1 {
        backend.draw_path(points, &ink(colour).stroke_width((width * SCALE).round().max(1.0) as u32))?;
    }
    Ok(())
}

fn svg_text(backend: &mut SVGBackend, line: &Text) -> Result<(), PaintError> {
    // plotters divides a font's size by 1.24 when it writes it.
    let style = if line.bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FontFamily::Name(font::FAMILIES), line.size * SCALE * 1.24, style);
    let h_pos = match line.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = TextStyle { font, color: ink(line.colour).to_backend_color(), pos: Pos::new(h_pos, VPos::Center) };
    // XML has no way to hold them.
    let text = line.text.replace(char::is_control, " ");
    backend.draw_text(&text, &style, at((line.x, line.y)))?;
    Ok(())
}

/// plotters places glyphs on whole pixels and leaves out their bearings; that shows in small letters.
fn bitmap_text(backend: &mut BitMapBackend, line: &Text) -> Result<(), PaintError> {
    let start = ((line.left() * SCALE) as f32, (line.y * SCALE) as f32);
    let mut drawn = Ok(());
    font::pixels(&line.text, start, (line.size * SCALE) as f32, line.bold, |x, y, covered| {
        let colour = ink(line.colour).mix(covered.into()).to_backend_color();
        let pixel = backend.draw_pixel((x, y), colour);
        drawn = std::mem::replace(&mut drawn, Ok(())).and(pixel);
    });
    drawn?;
    Ok(())
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

fn ink(Colour(r, g, b): Colour) -> RGBColor {
    RGBColor(r, g, b)
}
