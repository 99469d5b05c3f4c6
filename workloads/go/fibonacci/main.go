// The Nth Fibonacci number by plain recursion, ITERATIONS times.
package main

import (
	"fmt"

	"workloads/input"
)

// The last one that fits 64 bits.
const largest = 93

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	n, err := input.Number("N", 0, largest)
	if err != nil {
		return nil, err
	}
	return input.Repeat(func() ([]byte, error) {
		return fmt.Appendln(nil, fibonacci(int(n))), nil
	})
}

func fibonacci(n int) uint64 {
	if n < 2 {
		return uint64(n)
	}
	return fibonacci(n-1) + fibonacci(n-2)
}
