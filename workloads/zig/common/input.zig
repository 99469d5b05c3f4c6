//! What the Zig functions share: a strict reading of the environment, one way to refuse it, and one to answer.

const std = @import("std");
const Init = std.process.Init;

/// A variable that must be there, possibly empty.
pub fn text(init: Init, variable: []const u8) []const u8 {
    return init.environ_map.get(variable) orelse refuse("{s}: is not set", .{variable});
}

/// A variable that must be a whole number from `least` to `most`, in digits only.
pub fn number(init: Init, comptime T: type, variable: []const u8, least: T, most: T) T {
    const value = text(init, variable);
    if (parse(T, value)) |n| {
        if (n >= least and n <= most) return n;
    }
    const quoted = std.ascii.hexEscape(value, .lower);
    refuse("{s}: \"{f}\" is not a whole number from {d} to {d}", .{ variable, quoted, least, most });
}

/// How many times the work is to be done: the variable ITERATIONS, or once.
pub fn iterations(init: Init) u64 {
    const variable = "ITERATIONS";
    return if (init.environ_map.contains(variable)) number(init, u64, variable, 1, std.math.maxInt(u64)) else 1;
}

fn parse(comptime T: type, value: []const u8) ?T {
    // The library also takes a sign, and underscores between the digits.
    for (value) |c| {
        if (!std.ascii.isDigit(c)) return null;
    }
    return std.fmt.parseInt(T, value, 10) catch null;
}

/// Ends the program with exit code 2 and this line on standard error.
pub fn refuse(comptime line: []const u8, args: anytype) noreturn {
    std.debug.print(line ++ "\n", args);
    std.process.exit(2);
}

/// Prints to standard output.
pub fn answer(init: Init, comptime format: []const u8, args: anytype) !void {
    var buffer: [4096]u8 = undefined;
    var stdout = std.Io.File.stdout().writerStreaming(init.io, &buffer);
    try stdout.interface.print(format, args);
    try stdout.interface.flush();
}

/// Marsaglia's 32-bit xorshift.
pub const Random = struct {
    state: u32,

    /// Begins with the variable SEED.
    pub fn init(process: Init) Random {
        return .{ .state = number(process, u32, "SEED", 1, std.math.maxInt(u32)) };
    }

    /// The next number, which is the next state.
    pub fn next(random: *Random) u32 {
        random.state ^= random.state << 13;
        random.state ^= random.state >> 17;
        random.state ^= random.state << 5;
        return random.state;
    }
};
