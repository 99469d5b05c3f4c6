// Package input is what the Go functions share: a strict reading of the environment, and one way to answer.
package input

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
)

const (
	iterations = "ITERATIONS"
	refused    = 2
)

// Refusal says which variable is missing or makes no sense, or what is wrong with standard input. What is one line:
// a value in it is quoted.
type Refusal struct {
	Variable string
	What     string
}

func (r *Refusal) Error() string { return r.Variable + ": " + r.What }

// Text is a variable that must be there, possibly empty.
func Text(variable string) (string, error) {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return "", &Refusal{variable, "is not set"}
	}
	return text, nil
}

// Number is a variable that must be a whole number from least to most, in digits only.
func Number(variable string, least, most uint64) (uint64, error) {
	text, err := Text(variable)
	if err != nil {
		return 0, err
	}
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil || number < least || number > most {
		return 0, &Refusal{variable, fmt.Sprintf("%q is not a whole number from %d to %d", text, least, most)}
	}
	return number, nil
}

// Seed is the variable SEED, the first state of the random numbers.
func Seed() (Random, error) {
	seed, err := Number("SEED", 1, math.MaxUint32)
	return Random(seed), err
}

// Repeat calls work as often as ITERATIONS says, or once, and gives its last answer.
func Repeat(work func() ([]byte, error)) (answer []byte, err error) {
	times := uint64(1)
	if _, ok := os.LookupEnv(iterations); ok {
		if times, err = Number(iterations, 1, math.MaxUint64); err != nil {
			return nil, err
		}
	}
	for ; times > 0 && err == nil; times-- {
		answer, err = work()
	}
	return answer, err
}

// Read is all of standard input.
func Read() ([]byte, error) { return io.ReadAll(os.Stdin) }

// Answer ends the program: with the answer on standard output, or with the error on standard error, and exit code 2 if
// it is a refusal.
func Answer(answer []byte, err error) {
	if err == nil {
		_, err = os.Stdout.Write(answer)
	}
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if _, ok := err.(*Refusal); ok {
		os.Exit(refused)
	}
	os.Exit(1)
}
