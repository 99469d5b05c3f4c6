/* WebAssembly's first edition has no way to jump out of a function: engine.c says what happens in its place. */
