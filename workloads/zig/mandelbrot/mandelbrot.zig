//! Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps.

const std = @import("std");
const input = @import("input");

const Counts = struct { inside: u64 = 0, steps: u64 = 0 };

pub fn main(init: std.process.Init) !void {
    var size = input.number(init, u32, "SIZE", 1, 4000);
    const limit = input.number(init, u32, "LIMIT", 1, 100_000);
    var left = input.iterations(init);
    var counts: Counts = .{};
    while (left > 0) : (left -= 1) {
        std.mem.doNotOptimizeAway(&size);
        counts = count(size, limit);
        std.mem.doNotOptimizeAway(&counts);
    }
    try input.answer(init, "{d} {d}\n", .{ counts.inside, counts.steps });
}

fn count(size: u32, limit: u32) Counts {
    var counts: Counts = .{};
    for (0..size) |row| {
        const cy = place(row, size) - 1.5;
        for (0..size) |column| {
            const steps = escape(place(column, size) - 2.25, cy, limit);
            counts.steps += steps;
            if (steps == limit) counts.inside += 1;
        }
    }
    return counts;
}

fn place(index: usize, size: u32) f64 {
    return 3.0 * (@as(f64, @floatFromInt(index)) + 0.5) / @as(f64, @floatFromInt(size));
}

fn escape(cx: f64, cy: f64, limit: u32) u32 {
    var zx: f64 = 0;
    var zy: f64 = 0;
    for (0..limit) |step| {
        if (zx * zx + zy * zy > 4) return @intCast(step);
        const x = zx * zx - zy * zy + cx;
        zy = 2 * zx * zy + cy;
        zx = x;
    }
    return limit;
}
