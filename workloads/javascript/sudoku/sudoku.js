// Solves the sudoku in `puzzle`, ITERATIONS times: backtracking, the cell with the fewest candidates first.

import { refuse, repeat, text } from "input";

const SIDE = 9;
const CELLS = SIDE * SIDE;
const ALL = (1 << SIDE) - 1;

const ROW = Array.from({ length: CELLS }, (_, cell) => Math.floor(cell / SIDE));
const COLUMN = Array.from({ length: CELLS }, (_, cell) => cell % SIDE);
const BOX = ROW.map((row, cell) => Math.floor(row / 3) * 3 + Math.floor(COLUMN[cell] / 3));
// How many bits are set in a number below 2 ** SIDE.
const BITS = Uint8Array.from({ length: ALL + 1 }, (_, set) => set.toString(2).replaceAll("0", "").length);

class Grid {
  /** The digits, 0 for an empty cell. */
  cells = new Uint8Array(CELLS);
  // The digits that are taken, a bit each.
  #rows = new Uint16Array(SIDE);
  #columns = new Uint16Array(SIDE);
  #boxes = new Uint16Array(SIDE);

  candidates(cell) {
    return ALL & ~(this.#rows[ROW[cell]] | this.#columns[COLUMN[cell]] | this.#boxes[BOX[cell]]);
  }

  put(cell, digit) {
    this.cells[cell] = digit;
    this.#flip(cell, digit);
  }

  clear(cell) {
    this.#flip(cell, this.cells[cell]);
    this.cells[cell] = 0;
  }

  /** The empty cell with the fewest candidates, or -1. */
  narrowest() {
    let best = -1;
    let fewest = SIDE + 1;
    for (let cell = 0; cell < CELLS && fewest > 1; cell++) {
      if (this.cells[cell] !== 0) continue;
      const count = BITS[this.candidates(cell)];
      if (count < fewest) {
        fewest = count;
        best = cell;
      }
    }
    return best;
  }

  #flip(cell, digit) {
    const bit = 1 << (digit - 1);
    this.#rows[ROW[cell]] ^= bit;
    this.#columns[COLUMN[cell]] ^= bit;
    this.#boxes[BOX[cell]] ^= bit;
  }
}

function parse(puzzle) {
  const grid = new Grid();
  for (let cell = 0; cell < CELLS; cell++) {
    const digit = Number(puzzle[cell].replace(".", "0"));
    if (digit === 0) continue;
    if (!((grid.candidates(cell) >> (digit - 1)) & 1)) {
      refuse("puzzle", "a digit stands twice in a row, column or box");
    }
    grid.put(cell, digit);
  }
  return grid;
}

/** All solutions, as texts. */
function* solutions(grid) {
  const cell = grid.narrowest();
  if (cell < 0) {
    yield grid.cells.join("");
    return;
  }
  const candidates = grid.candidates(cell);
  for (let digit = 1; digit <= SIDE; digit++) {
    if (!((candidates >> (digit - 1)) & 1)) continue;
    grid.put(cell, digit);
    yield* solutions(grid);
    grid.clear(cell);
  }
}

export default function () {
  const puzzle = text("puzzle");
  if (!/^[.0-9]*$/.test(puzzle)) refuse("puzzle", "a character is neither a digit nor `.`");
  if (puzzle.length !== CELLS) refuse("puzzle", "does not have 81 characters");
  const found = repeat(() => [...solutions(parse(puzzle)).take(2)]);
  if (found.length !== 1) refuse("puzzle", found.length === 0 ? "has no solution" : "has more than one solution");
  console.log(found[0]);
}
