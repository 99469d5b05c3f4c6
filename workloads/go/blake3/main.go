// The BLAKE3 hash of TEXT in hexadecimal, computed ITERATIONS times.
package main

import (
	"fmt"

	"workloads/input"
)

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	text, err := input.Text("TEXT")
	if err != nil {
		return nil, err
	}
	bytes := []byte(text)
	var hash [32]byte
	_, err = input.Repeat(func() ([]byte, error) {
		hash = sum(bytes)
		return nil, nil
	})
	return fmt.Appendf(nil, "%x\n", hash), err
}
