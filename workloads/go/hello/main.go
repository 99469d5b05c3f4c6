// Greets whoever NAME names.
package main

import (
	"fmt"

	"workloads/input"
)

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	name, err := input.Text("NAME")
	return fmt.Appendf(nil, "Hello, %s!\n", name), err
}
