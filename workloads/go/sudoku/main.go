// Solves the sudoku in puzzle, ITERATIONS times: backtracking, the cell with the fewest candidates first.
package main

import (
	"fmt"
	"math/bits"
	"strings"

	"workloads/input"
)

const (
	side  = 9
	cells = side * side
	all   = 1<<side - 1
)

// grid knows the digits that are taken, a bit each.
type grid struct {
	rows, columns, boxes [side]uint16
	cells                [cells]byte
}

type search struct {
	grid
	solutions []string
}

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	puzzle, err := input.Text("puzzle")
	if err != nil {
		return nil, err
	}
	if len(puzzle) != cells || strings.Trim(puzzle, ".0123456789") != "" {
		return nil, refuse(fmt.Sprintf("%q is not %d digits and dots", puzzle, cells))
	}
	return input.Repeat(func() ([]byte, error) {
		var s search
		if !s.fill(puzzle) {
			return nil, refuse("a digit stands twice in a row, column or box")
		}
		switch s.solve(); len(s.solutions) {
		case 0:
			return nil, refuse("has no solution")
		case 1:
			return []byte(s.solutions[0] + "\n"), nil
		default:
			return nil, refuse("has more than one solution")
		}
	})
}

func refuse(what string) error { return &input.Refusal{Variable: "puzzle", What: what} }

func box(cell int) int { return cell/side/3*3 + cell%side/3 }

func (g *grid) candidates(cell int) uint16 {
	return all &^ (g.rows[cell/side] | g.columns[cell%side] | g.boxes[box(cell)])
}

// flip takes a digit (0 to 8) for a cell, or gives it back.
func (g *grid) flip(cell, digit int) {
	g.rows[cell/side] ^= 1 << digit
	g.columns[cell%side] ^= 1 << digit
	g.boxes[box(cell)] ^= 1 << digit
}

// fill is false if a digit stands twice in a row, column or box.
func (g *grid) fill(puzzle string) bool {
	for cell := range cells {
		digit := int(puzzle[cell]) - '1'
		g.cells[cell] = '.'
		if digit < 0 {
			continue
		}
		if g.candidates(cell)>>digit&1 == 0 {
			return false
		}
		g.flip(cell, digit)
		g.cells[cell] = puzzle[cell]
	}
	return true
}

// solve stops at the second solution: a puzzle has one.
func (s *search) solve() {
	best, fewest := -1, side+1
	for cell := range cells {
		if s.cells[cell] != '.' {
			continue
		}
		if count := bits.OnesCount16(s.candidates(cell)); count < fewest {
			best, fewest = cell, count
			if count <= 1 {
				break
			}
		}
	}
	if best < 0 {
		s.solutions = append(s.solutions, string(s.cells[:]))
		return
	}
	for left := s.candidates(best); left != 0 && len(s.solutions) < 2; left &= left - 1 {
		digit := bits.TrailingZeros16(left)
		s.flip(best, digit)
		s.cells[best] = '1' + byte(digit)
		s.solve()
		s.flip(best, digit)
	}
	s.cells[best] = '.'
}
