// Solves the sudoku in `puzzle`, ITERATIONS times: backtracking, the cell with the fewest candidates first.

import { iterations, refuse, text } from "../common/input";

const SIDE: i32 = 9;
const CELLS: i32 = SIDE * SIDE;
const ALL: u32 = (1 << SIDE) - 1;
const EMPTY: u8 = 0;

class Grid {
  /** The digits, 1 to 9, or EMPTY. */
  cells: StaticArray<u8> = new StaticArray<u8>(CELLS);
  // The digits that are taken, a bit each.
  private rows: StaticArray<u32> = new StaticArray<u32>(SIDE);
  private columns: StaticArray<u32> = new StaticArray<u32>(SIDE);
  private boxes: StaticArray<u32> = new StaticArray<u32>(SIDE);

  candidates(cell: i32): u32 {
    const row = cell / SIDE;
    const column = cell % SIDE;
    return ALL & ~(this.rows[row] | this.columns[column] | this.boxes[box(row, column)]);
  }

  put(cell: i32, digit: u8): void {
    this.cells[cell] = digit;
    this.flip(cell, digit);
  }

  clear(cell: i32): void {
    this.flip(cell, this.cells[cell]);
    this.cells[cell] = EMPTY;
  }

  /** The empty cell with the fewest candidates, or -1. */
  narrowest(): i32 {
    let best = -1;
    let fewest = SIDE + 1;
    for (let cell = 0; cell < CELLS && fewest > 1; ++cell) {
      if (this.cells[cell] != EMPTY) continue;
      const count = <i32>popcnt(this.candidates(cell));
      if (count < fewest) {
        fewest = count;
        best = cell;
      }
    }
    return best;
  }

  private flip(cell: i32, digit: u8): void {
    const bit: u32 = 1 << (digit - 1);
    const row = cell / SIDE;
    const column = cell % SIDE;
    this.rows[row] ^= bit;
    this.columns[column] ^= bit;
    this.boxes[box(row, column)] ^= bit;
  }
}

function box(row: i32, column: i32): i32 {
  return row / 3 * 3 + column / 3;
}

function parse(puzzle: string): Grid {
  const grid = new Grid();
  for (let cell = 0; cell < CELLS; ++cell) {
    const char = puzzle.charAt(cell);
    if (char == "." || char == "0") continue;
    const digit = <u8>(char.charCodeAt(0) - 0x30);
    if (!(grid.candidates(cell) >> (digit - 1) & 1)) {
      refuse("puzzle", "a digit stands twice in a row, column or box");
    }
    grid.put(cell, digit);
  }
  return grid;
}

class Search {
  solutions: i32 = 0;
  solution: string = "";

  constructor(private grid: Grid) {}

  /** Stops at the second solution: a puzzle has one. */
  run(): void {
    const cell = this.grid.narrowest();
    if (cell < 0) {
      this.solution = this.grid.cells.join("");
      this.solutions++;
      return;
    }
    const candidates = this.grid.candidates(cell);
    for (let digit: u8 = 1; <i32>digit <= SIDE && this.solutions < 2; ++digit) {
      if (!(candidates >> (digit - 1) & 1)) continue;
      this.grid.put(cell, digit);
      this.run();
      this.grid.clear(cell);
    }
  }
}

const puzzle = text("puzzle");
const times = iterations();
if (puzzle.length != CELLS) refuse("puzzle", "does not have 81 characters");
for (let i = 0; i < CELLS; ++i) {
  if (!".0123456789".includes(puzzle.charAt(i))) refuse("puzzle", "a character is neither a digit nor `.`");
}
let search = new Search(parse(puzzle));
for (let i = times; i > 0; --i) {
  search = new Search(parse(puzzle));
  search.run();
}
if (search.solutions != 1) refuse("puzzle", search.solutions == 0 ? "has no solution" : "has more than one solution");
console.log(search.solution);
