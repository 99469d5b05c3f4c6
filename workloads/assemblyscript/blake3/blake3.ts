// The BLAKE3 hash of TEXT in hexadecimal, computed ITERATIONS times; after the reference implementation of its authors.

import { iterations, text } from "../common/input";

const OUT_WORDS: i32 = 8;
const BLOCK_BYTES: i32 = 64;
const CHUNK_BYTES: i32 = 1024;

const CHUNK_START: u32 = 1 << 0;
const CHUNK_END: u32 = 1 << 1;
const PARENT: u32 = 1 << 2;
const ROOT: u32 = 1 << 3;

const IV: StaticArray<u32> = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
const PERMUTATION: StaticArray<i32> = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

type Words = StaticArray<u32>;

// The compression works on these, so that nothing is allocated.
const state = new StaticArray<u32>(16);
let m = new StaticArray<u32>(16);
let permuted = new StaticArray<u32>(16);

// @ts-ignore: decorator
@inline
function g(a: i32, b: i32, c: i32, d: i32, x: u32, y: u32): void {
  unchecked(state[a] += state[b] + x);
  unchecked(state[d] = rotr(state[d] ^ state[a], 16));
  unchecked(state[c] += state[d]);
  unchecked(state[b] = rotr(state[b] ^ state[c], 12));
  unchecked(state[a] += state[b] + y);
  unchecked(state[d] = rotr(state[d] ^ state[a], 8));
  unchecked(state[c] += state[d]);
  unchecked(state[b] = rotr(state[b] ^ state[c], 7));
}

function round(): void {
  // The columns, then the diagonals.
  g(0, 4, 8, 12, unchecked(m[0]), unchecked(m[1]));
  g(1, 5, 9, 13, unchecked(m[2]), unchecked(m[3]));
  g(2, 6, 10, 14, unchecked(m[4]), unchecked(m[5]));
  g(3, 7, 11, 15, unchecked(m[6]), unchecked(m[7]));
  g(0, 5, 10, 15, unchecked(m[8]), unchecked(m[9]));
  g(1, 6, 11, 12, unchecked(m[10]), unchecked(m[11]));
  g(2, 7, 8, 13, unchecked(m[12]), unchecked(m[13]));
  g(3, 4, 9, 14, unchecked(m[14]), unchecked(m[15]));
}

function permute(): void {
  for (let i = 0; i < 16; ++i) unchecked(permuted[i] = m[PERMUTATION[i]]);
  const last = m;
  m = permuted;
  permuted = last;
}

/** What a node of the tree is computed from, so that its last step can be done again for the root. */
class Output {
  constructor(
    private key: Words,
    private block: Words,
    private counter: u64,
    private length: u32,
    private flags: u32,
  ) {}

  words(more: u32 = 0): Words {
    for (let i = 0; i < 8; ++i) unchecked(state[i] = this.key[i]);
    for (let i = 0; i < 4; ++i) unchecked(state[8 + i] = IV[i]);
    state[12] = <u32>this.counter;
    state[13] = <u32>(this.counter >> 32);
    state[14] = this.length;
    state[15] = this.flags | more;
    for (let i = 0; i < 16; ++i) unchecked(m[i] = this.block[i]);
    for (let i = 0; i < 7; ++i) {
      if (i > 0) permute();
      round();
    }
    const out = new StaticArray<u32>(OUT_WORDS);
    for (let i = 0; i < OUT_WORDS; ++i) out[i] = state[i] ^ state[i + 8];
    return out;
  }
}

function blockWords(bytes: Uint8Array, from: i32, length: i32): Words {
  const words = new StaticArray<u32>(16);
  for (let i = 0; i < length; ++i) words[i >> 2] |= <u32>bytes[from + i] << ((i & 3) << 3);
  return words;
}

/** The chunk of `length` bytes that begins at `from`. */
function chunk(bytes: Uint8Array, from: i32, length: i32): Output {
  const counter = <u64>(from / CHUNK_BYTES);
  let key = IV;
  let flags = CHUNK_START;
  let done = 0;
  for (; length - done > BLOCK_BYTES; done += BLOCK_BYTES) {
    key = new Output(key, blockWords(bytes, from + done, BLOCK_BYTES), counter, BLOCK_BYTES, flags).words();
    flags = 0;
  }
  const last = length - done;
  return new Output(key, blockWords(bytes, from + done, last), counter, last, flags | CHUNK_END);
}

/** The node above the `length` bytes that begin at `from`: its left part is the largest power of two of chunks. */
function tree(bytes: Uint8Array, from: i32, length: i32): Output {
  if (length <= CHUNK_BYTES) return chunk(bytes, from, length);
  const chunks = (length - 1) / CHUNK_BYTES;
  const left = CHUNK_BYTES << (31 - clz(chunks));
  const block = new StaticArray<u32>(16);
  const leftWords = tree(bytes, from, left).words();
  const rightWords = tree(bytes, from + left, length - left).words();
  for (let i = 0; i < 8; ++i) {
    block[i] = leftWords[i];
    block[i + 8] = rightWords[i];
  }
  return new Output(IV, block, 0, BLOCK_BYTES, PARENT);
}

function hexadecimal(words: Words): string {
  let hex = "";
  for (let i = 0; i < OUT_WORDS; ++i) hex += bswap(words[i]).toString(16).padStart(8, "0");
  return hex;
}

const bytes = Uint8Array.wrap(String.UTF8.encode(text("TEXT")));
let hash = new StaticArray<u32>(OUT_WORDS);
for (let i = iterations(); i > 0; --i) hash = tree(bytes, 0, bytes.length).words(ROOT);
console.log(hexadecimal(hash));
