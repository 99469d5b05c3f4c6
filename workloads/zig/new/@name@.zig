//! Counts the lines of standard input that contain WORD.

const std = @import("std");
const input = @import("input");

pub fn main(init: std.process.Init) !void {
    const word = input.text(init, "WORD");
    var buffer: [4096]u8 = undefined;
    var stdin = std.Io.File.stdin().readerStreaming(init.io, &buffer);
    const text = try stdin.interface.allocRemaining(init.gpa, .unlimited);
    defer init.gpa.free(text);
    try input.answer(init, "{d}\n", .{count(text, word)});
}

fn count(text: []const u8, word: []const u8) usize {
    var found: usize = 0;
    var lines = std.mem.splitScalar(u8, text, '\n');
    while (lines.next()) |line| {
        // Behind the last newline there is no line.
        if (line.len == 0 and lines.peek() == null) break;
        if (std.mem.find(u8, line, word) != null) found += 1;
    }
    return found;
}
