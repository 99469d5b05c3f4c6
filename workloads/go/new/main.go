// Counts the lines of standard input that contain WORD.
package main

import (
	"bytes"
	"fmt"

	"workloads/input"
)

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	word, err := input.Text("WORD")
	if err != nil {
		return nil, err
	}
	text, err := input.Read()
	return fmt.Appendf(nil, "%d\n", count(text, []byte(word))), err
}

func count(text, word []byte) (lines int) {
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, word) {
			lines++
		}
	}
	return lines
}
