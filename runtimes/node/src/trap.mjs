// What V8 throws when a function traps, as the traps of WebAssembly.

const KINDS = [
  [/^unreachable/, "unreachable"],
  [/^divide by zero|^remainder by zero/, "integer-divide-by-zero"],
  [/^divide result unrepresentable/, "integer-overflow"],
  [/^float unrepresentable/, "bad-conversion-to-integer"],
  [/^memory access out of bounds|^data segment/, "memory-out-of-bounds"],
  [/^table index is out of bounds|^table (access|initializer) |^element segment/, "table-out-of-bounds"],
  [/^null function or function signature mismatch|signature mismatch/, "bad-signature"],
  [/^Maximum call stack size exceeded/, "stack-overflow"],
];

/** The kind of trap that an error stands for, or null: it is no trap. */
export function trapKind(error) {
  const trap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  if (!trap) return error instanceof WebAssembly.Exception ? "other" : null;
  return KINDS.find(([pattern]) => pattern.test(error.message))?.[1] ?? "other";
}
