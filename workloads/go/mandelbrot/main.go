// Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps.
package main

import (
	"fmt"

	"workloads/input"
)

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	size, err := input.Number("SIZE", 1, 4000)
	if err != nil {
		return nil, err
	}
	limit, err := input.Number("LIMIT", 1, 100_000)
	if err != nil {
		return nil, err
	}
	return input.Repeat(func() ([]byte, error) {
		inside, steps := count(int(size), int(limit))
		return fmt.Appendln(nil, inside, steps), nil
	})
}

func count(size, limit int) (inside, steps int) {
	for row := range size {
		cy := 3*(float64(row)+0.5)/float64(size) - 1.5
		for column := range size {
			cx := 3*(float64(column)+0.5)/float64(size) - 2.25
			made := escape(cx, cy, limit)
			steps += made
			if made == limit {
				inside++
			}
		}
	}
	return inside, steps
}

func escape(cx, cy float64, limit int) int {
	var zx, zy float64
	for step := range limit {
		if zx*zx+zy*zy > 4 {
			return step
		}
		zx, zy = zx*zx-zy*zy+cx, 2*zx*zy+cy
	}
	return limit
}
