// Multiplies two random N by N matrices.
package main

import (
	"fmt"

	"workloads/input"
)

type matrix [][]float64

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	size, err := input.Number("N", 1, 1000)
	if err != nil {
		return nil, err
	}
	random, err := input.Seed()
	if err != nil {
		return nil, err
	}
	n := int(size)
	a, b := filled(n, &random), filled(n, &random)
	diagonal, sum, weighted := multiply(a, b).sums()
	return fmt.Appendln(nil, diagonal, sum, weighted), nil
}

func zeroes(n int) matrix {
	m := make(matrix, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func filled(n int, random *input.Random) matrix {
	m := zeroes(n)
	for _, row := range m {
		for j := range row {
			row[j] = float64(random.Next()%1000) - 500
		}
	}
	return m
}

func multiply(a, b matrix) matrix {
	c := zeroes(len(a))
	for i, row := range c {
		for k, factor := range a[i] {
			for j, value := range b[k] {
				row[j] += factor * value
			}
		}
	}
	return c
}

// sums are that of the diagonal, that of all elements, and the weighted one.
func (m matrix) sums() (diagonal, sum, weighted int64) {
	for i, row := range m {
		diagonal += int64(row[i])
		for j, value := range row {
			sum += int64(value)
			weighted += int64(value) * int64((i*len(m)+j)%7+1)
		}
	}
	return diagonal, sum, weighted
}
