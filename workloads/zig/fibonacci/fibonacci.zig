//! The Nth Fibonacci number by plain recursion, ITERATIONS times.

const std = @import("std");
const input = @import("input");

/// The last one that fits 64 bits.
const largest = 93;

pub fn main(init: std.process.Init) !void {
    var n = input.number(init, u32, "N", 0, largest);
    var left = input.iterations(init);
    var answer: u64 = 0;
    while (left > 0) : (left -= 1) {
        std.mem.doNotOptimizeAway(&n);
        answer = fibonacci(n);
        std.mem.doNotOptimizeAway(&answer);
    }
    try input.answer(init, "{d}\n", .{answer});
}

fn fibonacci(n: u32) u64 {
    return if (n < 2) n else fibonacci(n - 1) + fibonacci(n - 2);
}
