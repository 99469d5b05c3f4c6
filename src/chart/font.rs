//! The font of the charts, the same on every machine.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use std::sync::LazyLock;

/// What an SVG names: the font of the PNGs, then what machines have that is about as wide.
pub(super) const FAMILIES: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

/// How far below the middle of lower-case letters the baseline is, in sizes of the font: half of Inter's x-height.
const BASELINE: f32 = 0.273;

static FONTS: LazyLock<[FontRef<'static>; 2]> = LazyLock::new(|| {
    let load = |bytes| FontRef::try_from_slice(bytes).expect("the font in this program is one");
    [load(include_bytes!("fonts/Inter-Regular.otf")), load(include_bytes!("fonts/Inter-SemiBold.otf"))]
});

fn font(bold: bool) -> &'static FontRef<'static> {
    &FONTS[usize::from(bold)]
}

/// ab_glyph's scale is the height of a line, ours the size of an em.
fn scale(font: &FontRef, size: f32) -> PxScale {
    PxScale::from(size * font.height_unscaled() / font.units_per_em().unwrap_or(1000.0))
}

/// The width of a text.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let font = font(bold);
    let scaled = font.as_scaled(scale(font, size as f32));
    text.chars().map(|c| f64::from(scaled.h_advance(scaled.glyph_id(c)))).sum()
}

/// Calls `pixel` with the place of every pixel that a text covers, and how much of it. The text starts at `x`, its
/// lower-case letters have their middle at `y`.
pub(super) fn pixels(text: &str, (x, y): (f32, f32), size: f32, bold: bool, mut pixel: impl FnMut(i32, i32, f32)) {
    let font = font(bold);
    let scale = scale(font, size);
    let mut pen = x;
    for c in text.chars() {
        let id = font.glyph_id(c);
        let glyph = Glyph { id, scale, position: point(pen, (y + BASELINE * size).round()) };
        pen += font.as_scaled(scale).h_advance(id);
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, covered| {
                pixel(corner.x as i32 + dx as i32, corner.y as i32 + dy as i32, covered.clamp(0.0, 1.0));
            });
        }
    }
}
