// For bundles: whatever the engine's own console does, the functions' one prints what QuickJS' does.
export { console } from "./std.js";
