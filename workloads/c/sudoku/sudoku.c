/* Solves the sudoku in `puzzle`, ITERATIONS times: backtracking, the cell with the fewest candidates first. */

#include "input.h"

#include <stdbool.h>
#include <string.h>

enum { SIDE = 9, CELLS = SIDE * SIDE, ALL = (1 << SIDE) - 1 };

/* The digits that are taken, a bit each. */
struct grid {
    uint16_t rows[SIDE], columns[SIDE], boxes[SIDE];
    char cells[CELLS];
};

struct search {
    struct grid grid;
    char solution[CELLS];
    int solutions;
};

static int box(int cell)
{
    return cell / SIDE / 3 * 3 + cell % SIDE / 3;
}

static unsigned candidates(const struct grid *grid, int cell)
{
    return ALL & ~(unsigned)(grid->rows[cell / SIDE] | grid->columns[cell % SIDE] | grid->boxes[box(cell)]);
}

static void put(struct grid *grid, int cell, int digit)
{
    uint16_t bit = (uint16_t)(1 << digit);
    grid->rows[cell / SIDE] ^= bit;
    grid->columns[cell % SIDE] ^= bit;
    grid->boxes[box(cell)] ^= bit;
}

/* Stops at the second solution: a puzzle has one. */
static void solve(struct search *search)
{
    struct grid *grid = &search->grid;
    int best = -1, fewest = SIDE + 1;
    for (int cell = 0; cell < CELLS && fewest > 1; cell++) {
        if (grid->cells[cell] == '.') {
            int count = __builtin_popcount(candidates(grid, cell));
            if (count < fewest) {
                fewest = count;
                best = cell;
            }
        }
    }
    if (best < 0) {
        memcpy(search->solution, grid->cells, CELLS);
        search->solutions++;
        return;
    }
    unsigned left = candidates(grid, best);
    for (int digit = 0; digit < SIDE && search->solutions < 2; digit++) {
        if (left >> digit & 1) {
            put(grid, best, digit);
            grid->cells[best] = (char)('1' + digit);
            solve(search);
            put(grid, best, digit);
        }
    }
    grid->cells[best] = '.';
}

/* False if a digit stands twice in a row, column or box. */
static bool fill(struct grid *grid, const char *puzzle)
{
    *grid = (struct grid){0};
    for (int cell = 0; cell < CELLS; cell++) {
        char c = puzzle[cell];
        grid->cells[cell] = c == '0' ? '.' : c;
        if (grid->cells[cell] != '.') {
            if (!(candidates(grid, cell) >> (c - '1') & 1)) {
                return false;
            }
            put(grid, cell, c - '1');
        }
    }
    return true;
}

int main(void)
{
    const char *puzzle = input_text("puzzle");
    uint64_t iterations = input_iterations();
    if (strlen(puzzle) != CELLS) {
        refuse("puzzle", "does not have 81 characters");
    }
    if (strspn(puzzle, ".0123456789") != CELLS) {
        refuse("puzzle", "a character is neither a digit nor `.`");
    }
    static struct search search;
    for (uint64_t i = 0; i < iterations; i++) {
        hide(puzzle);
        search.solutions = 0;
        if (!fill(&search.grid, puzzle)) {
            refuse("puzzle", "a digit stands twice in a row, column or box");
        }
        solve(&search);
        hide(&search);
    }
    if (search.solutions != 1) {
        refuse("puzzle", search.solutions == 0 ? "has no solution" : "has more than one solution");
    }
    return answer(search.solution, CELLS, true);
}
