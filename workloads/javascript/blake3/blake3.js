// The BLAKE3 hash of TEXT in hexadecimal, computed ITERATIONS times; after the reference implementation of its authors.

import { repeat, text } from "input";

const BLOCK_BYTES = 64;
const CHUNK_BYTES = 1024;

const CHUNK_START = 1 << 0;
const CHUNK_END = 1 << 1;
const PARENT = 1 << 2;
const ROOT = 1 << 3;

const IV = Uint32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

function g(state, a, b, c, d, x, y) {
  state[a] += state[b] + x;
  state[d] = rotated(state[d] ^ state[a], 16);
  state[c] += state[d];
  state[b] = rotated(state[b] ^ state[c], 12);
  state[a] += state[b] + y;
  state[d] = rotated(state[d] ^ state[a], 8);
  state[c] += state[d];
  state[b] = rotated(state[b] ^ state[c], 7);
}

const rotated = (word, bits) => (word >>> bits) | (word << (32 - bits));

function round(state, m) {
  // The columns, then the diagonals.
  g(state, 0, 4, 8, 12, m[0], m[1]);
  g(state, 1, 5, 9, 13, m[2], m[3]);
  g(state, 2, 6, 10, 14, m[4], m[5]);
  g(state, 3, 7, 11, 15, m[6], m[7]);
  g(state, 0, 5, 10, 15, m[8], m[9]);
  g(state, 1, 6, 11, 12, m[10], m[11]);
  g(state, 2, 7, 8, 13, m[12], m[13]);
  g(state, 3, 4, 9, 14, m[14], m[15]);
}

function compress(key, block, counter, length, flags) {
  const state = new Uint32Array(16);
  state.set(key);
  state.set(IV.subarray(0, 4), 8);
  // A counter of chunks stays below 2 ** 32 here.
  state.set([counter, 0, length, flags], 12);
  let m = block;
  for (let i = 0; i < 7; i++) {
    if (i > 0) m = PERMUTATION.map((from) => m[from]);
    round(state, m);
  }
  return state.subarray(0, 8).map((word, i) => word ^ state[i + 8]);
}

function blockWords(bytes) {
  const words = new Uint32Array(16);
  bytes.forEach((byte, i) => (words[i >> 2] |= byte << ((i & 3) << 3)));
  return words;
}

/** The words of the chunk with this number; `flags` are added in its last block. */
function chunk(bytes, counter, flags) {
  let key = IV;
  let start = CHUNK_START;
  let from = 0;
  for (; bytes.length - from > BLOCK_BYTES; from += BLOCK_BYTES) {
    key = compress(key, blockWords(bytes.subarray(from, from + BLOCK_BYTES)), counter, BLOCK_BYTES, start);
    start = 0;
  }
  const last = bytes.subarray(from);
  return compress(key, blockWords(last), counter, last.length, start | CHUNK_END | flags);
}

/** The words of the tree over `bytes`, whose first chunk has this number: its left part is the largest power of two. */
function tree(bytes, counter = 0, flags = 0) {
  if (bytes.length <= CHUNK_BYTES) return chunk(bytes, counter, flags);
  const chunks = Math.floor((bytes.length - 1) / CHUNK_BYTES);
  const left = 2 ** (31 - Math.clz32(chunks));
  const block = new Uint32Array(16);
  block.set(tree(bytes.subarray(0, left * CHUNK_BYTES), counter));
  block.set(tree(bytes.subarray(left * CHUNK_BYTES), counter + left), 8);
  return compress(IV, block, 0, BLOCK_BYTES, PARENT | flags);
}

const hexadecimal = (words) => new Uint8Array(words.buffer).toHex();

/** The bytes of a text in UTF-8; the engine has no TextEncoder. */
const utf8 = (text) => Uint8Array.from(unescape(encodeURIComponent(text)), (character) => character.charCodeAt(0));

export default function () {
  const bytes = utf8(text("TEXT"));
  console.log(hexadecimal(repeat(() => tree(bytes, 0, ROOT))));
}
