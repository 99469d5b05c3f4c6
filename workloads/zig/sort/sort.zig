//! Sorts COUNT random numbers and prints the least, the middle and the greatest of them.

const std = @import("std");
const input = @import("input");

pub fn main(init: std.process.Init) !void {
    const count = input.number(init, u32, "COUNT", 1, 10_000_000);
    var random: input.Random = .init(init);
    const numbers = try init.gpa.alloc(u32, count);
    defer init.gpa.free(numbers);
    for (numbers) |*number| number.* = random.next();
    std.mem.sortUnstable(u32, numbers, {}, std.sort.asc(u32));
    var checksum: u32 = 0;
    for (numbers) |number| checksum = checksum *% 31 +% number;
    try input.answer(init, "{d} {d} {d} {d}\n", .{ numbers[0], numbers[count / 2], numbers[count - 1], checksum });
}
