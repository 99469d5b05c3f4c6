//! A chart's SVG as a part of the page, at a third of its size: what the page's own style says is left out, and shapes
//! become paths, which show the same.

/// A drawing as a part of the page, with its escaped title.
pub(super) fn inline(svg: &str, title: &str) -> String {
    let box_of = attribute(svg, "viewBox").unwrap_or_default();
    let drawing = svg.split_once("</style>").map_or(svg, |(_, drawing)| drawing).trim();
    let mut inlined = format!("<svg class=\"chart\" viewBox=\"{box_of}\" role=\"img\" aria-label=\"{title}\">");
    let mut tiles = Tiles::default();
    for line in drawing.lines() {
        match tile(line) {
            Some((fill, path)) => tiles.add(line, fill, &path, &mut inlined),
            None => {
                tiles.end(&mut inlined);
                inlined.push_str(&short(&outline(line).unwrap_or_else(|| line.to_owned())));
            }
        }
    }
    tiles.end(&mut inlined);
    inlined
}

/// Rectangles of one colour that follow each other.
#[derive(Default)]
struct Tiles {
    first: String,
    fill: String,
    path: String,
    count: usize,
}

impl Tiles {
    fn add(&mut self, line: &str, fill: &str, path: &str, inlined: &mut String) {
        if self.fill != fill {
            self.end(inlined);
            (self.first, self.fill) = (line.to_owned(), fill.to_owned());
        }
        self.path.push_str(path);
        self.count += 1;
    }

    fn end(&mut self, inlined: &mut String) {
        match self.count {
            0 => {}
            1 => inlined.push_str(&short(&self.first)),
            _ => inlined.extend(["<path fill=\"", &self.fill, "\" d=\"", &self.path, "\"/>"]),
        }
        *self = Tiles::default();
    }
}

/// The colour of an opaque rectangle without a border, and its path.
fn tile(line: &str) -> Option<(&str, String)> {
    let own = line.starts_with("<rect ")
        && attribute(line, "opacity") == Some("1")
        && attribute(line, "stroke") == Some("none");
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| attribute(line, name)?.parse::<i64>().ok());
    let (x, y, width, height) = (x?, y?, width?, height?);
    own.then_some((attribute(line, "fill")?, format!("M{x} {y}h{width}v{height}h{}z", -width)))
}

/// A polygon or a line through points as a path from point to point.
fn outline(line: &str) -> Option<String> {
    let closed = line.starts_with("<polygon ");
    let points = attribute(line, "points").filter(|_| closed || line.starts_with("<polyline "))?;
    let point = |point: &str| point.split_once(',').and_then(|(x, y)| Some((x.parse().ok()?, y.parse().ok()?)));
    let all: Vec<(i64, i64)> = points.split_whitespace().map(point).collect::<Option<_>>()?;
    let mut steps: Vec<(i64, i64)> = Vec::new();
    for pair in all.windows(2) {
        let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        match steps.last_mut() {
            // Straight on.
            Some((x, y)) if *x * dy == *y * dx && *x * dx >= 0 && *y * dy >= 0 => (*x, *y) = (*x + dx, *y + dy),
            _ => steps.push((dx, dy)),
        }
    }
    let (x, y) = all.first()?;
    let mut path = format!("M{x} {y}l");
    for (dx, dy) in steps {
        let apart = if path.ends_with('l') || dx < 0 { "" } else { " " };
        let between = if dy < 0 { "" } else { " " };
        path.push_str(&format!("{apart}{dx}{between}{dy}"));
    }
    path.push_str(if closed { "z" } else { "" });
    let tag = if closed { "<polygon" } else { "<polyline" };
    Some(line.replacen(tag, "<path", 1).replace(&format!("points=\"{points}\""), &format!("d=\"{path}\"")))
}

/// A line without what is so anyway. Quotes in texts are escaped, so that only attributes are found.
fn short(line: &str) -> String {
    let mut short = line.to_owned();
    if let Some(family) = attribute(line, "font-family") {
        short = short.replace(&format!(" font-family=\"{family}\""), "");
    }
    for usual in [" opacity=\"1\"", " stroke=\"none\"", " text-anchor=\"start\"", " stroke-width=\"1\""] {
        short = short.replace(usual, "");
    }
    short
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_of_a_colour_are_one_path_and_nothing_else_moves() {
        let rect = |x: u32, fill: &str| {
            format!(
                "<rect x=\"{x}\" y=\"2\" width=\"3\" height=\"4\" opacity=\"1\" fill=\"{fill}\" stroke=\"none\"/>\n"
            )
        };
        let svg = format!(
            "<svg viewBox=\"0 0 9 9\">\n<style>\n</style>\n{}{}{}<text x=\"1\" opacity=\"1\" font-family=\"A, B\">\nfill=&quot;\n</text>\n{}</svg>\n",
            rect(0, "#AAA"),
            rect(5, "#BBB"),
            rect(9, "#BBB"),
            rect(1, "#BBB")
        );
        assert_eq!(
            inline(&svg, "T"),
            "<svg class=\"chart\" viewBox=\"0 0 9 9\" role=\"img\" aria-label=\"T\">\
             <rect x=\"0\" y=\"2\" width=\"3\" height=\"4\" fill=\"#AAA\"/>\
             <path fill=\"#BBB\" d=\"M5 2h3v4h-3zM9 2h3v4h-3z\"/><text x=\"1\">fill=&quot;</text>\
             <rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" fill=\"#BBB\"/></svg>"
        );
    }

    #[test]
    fn outlines_go_from_point_to_point() {
        let of =
            |points: &str| outline(&format!("<polygon opacity=\"0.5\" fill=\"#AAA\" points=\"{points}\"/>")).unwrap();
        assert_eq!(of("1,2 3,1 5,0 5,-4 4,-4 "), "<path opacity=\"0.5\" fill=\"#AAA\" d=\"M1 2l4-2 0-4-1 0z\"/>");
        // Back on the same way is no step straight on.
        assert_eq!(of("0,0 4,0 1,0"), "<path opacity=\"0.5\" fill=\"#AAA\" d=\"M0 0l4 0-3 0z\"/>");
        let line = outline("<polyline fill=\"none\" points=\"1,1 2,3 \"/>").unwrap();
        assert_eq!(line, "<path fill=\"none\" d=\"M1 1l1 2\"/>");
        assert_eq!(outline("<polyline points=\"1.5,1 2,3\"/>"), None);
    }
}
