//! Greets whoever NAME names.

const std = @import("std");
const input = @import("input");

pub fn main(init: std.process.Init) !void {
    try input.answer(init, "Hello, {s}!\n", .{input.text(init, "NAME")});
}
