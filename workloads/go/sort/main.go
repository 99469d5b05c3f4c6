// Sorts COUNT random numbers and prints the least, the middle and the greatest of them.
package main

import (
	"fmt"
	"slices"

	"workloads/input"
)

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	count, err := input.Number("COUNT", 1, 10_000_000)
	if err != nil {
		return nil, err
	}
	random, err := input.Seed()
	if err != nil {
		return nil, err
	}
	numbers := make([]uint32, count)
	for i := range numbers {
		numbers[i] = random.Next()
	}
	slices.Sort(numbers)
	var checksum uint32
	for _, number := range numbers {
		checksum = checksum*31 + number
	}
	return fmt.Appendln(nil, numbers[0], numbers[count/2], numbers[count-1], checksum), nil
}
