//! An HTML page with TITLE and a table of ROWS rows.

const std = @import("std");
const input = @import("input");
const Writer = std.Io.Writer;

pub fn main(init: std.process.Init) !void {
    const title: Escaped = .{ .text = input.text(init, "TITLE") };
    const rows = input.number(init, u32, "ROWS", 0, 100_000);
    var left = input.iterations(init);
    var page: Writer.Allocating = .init(init.gpa);
    defer page.deinit();
    while (left > 0) : (left -= 1) {
        std.mem.doNotOptimizeAway(title.text);
        page.clearRetainingCapacity();
        try render(&page.writer, title, rows);
        std.mem.doNotOptimizeAway(page.written());
    }
    try input.answer(init, "{s}", .{page.written()});
}

fn render(page: *Writer, title: Escaped, rows: u32) !void {
    try page.print(
        \\<!DOCTYPE html>
        \\<html>
        \\<head><title>{f}</title></head>
        \\<body>
        \\<h1>{f}</h1>
        \\<table>
        \\
    , .{ title, title });
    var total: Price = .{ .cents = 0 };
    for (1..rows + 1) |row| {
        const price: Price = .{ .cents = @as(u64, row) * row * 7919 % 10_000 };
        total.cents += price.cents;
        try page.print("<tr><td>{d}</td><td>{f}</td><td>{f}</td></tr>\n", .{ row, title, price });
    }
    try page.print(
        \\</table>
        \\<p>{d} rows, {f} in total</p>
        \\</body>
        \\</html>
        \\
    , .{ rows, total });
}

/// Text that is escaped where it is written.
const Escaped = struct {
    text: []const u8,

    pub fn format(escaped: Escaped, writer: *Writer) Writer.Error!void {
        var rest = escaped.text;
        while (std.mem.findAny(u8, rest, "&<>\"'")) |at| {
            try writer.writeAll(rest[0..at]);
            try writer.writeAll(switch (rest[at]) {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                else => unreachable,
            });
            rest = rest[at + 1 ..];
        }
        try writer.writeAll(rest);
    }
};

/// Cents, written as units and two digits.
const Price = struct {
    cents: u64,

    pub fn format(price: Price, writer: *Writer) Writer.Error!void {
        try writer.print("{d}.{d:0>2}", .{ price.cents / 100, price.cents % 100 });
    }
};
