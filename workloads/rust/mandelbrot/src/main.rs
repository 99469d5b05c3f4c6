//! Counts the points of a `SIZE` by `SIZE` grid that stay in the Mandelbrot set for `LIMIT` steps.

use input::Refusal;
use std::{hint::black_box, process::ExitCode};

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let size = input::number("SIZE", 1..=4000)?;
    let limit = input::number("LIMIT", 1..=100_000)?;
    let (inside, steps) = input::repeat(input::iterations()?, || count(black_box(size), black_box(limit)));
    Ok(format!("{inside} {steps}"))
}

/// Points that made all steps, and the steps of all points.
fn count(size: u32, limit: u32) -> (u64, u64) {
    let place = |index: u32| 3.0 * (f64::from(index) + 0.5) / f64::from(size);
    let (mut inside, mut all) = (0, 0);
    for row in 0..size {
        for column in 0..size {
            let steps = escape(place(column) - 2.25, place(row) - 1.5, limit);
            inside += u64::from(steps == limit);
            all += u64::from(steps);
        }
    }
    (inside, all)
}

fn escape(cx: f64, cy: f64, limit: u32) -> u32 {
    let (mut zx, mut zy) = (0.0, 0.0);
    for step in 0..limit {
        if zx * zx + zy * zy > 4.0 {
            return step;
        }
        (zx, zy) = (zx * zx - zy * zy + cx, 2.0 * zx * zy + cy);
    }
    limit
}
