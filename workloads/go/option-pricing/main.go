// The prices of a European call and put option, by a Monte Carlo simulation of PATHS paths.
package main

import (
	"fmt"
	"math"

	"workloads/input"
)

func main() { input.Answer(run()) }

// option has its amounts in units of money, and its rates per year.
type option struct {
	spot, strike, rate, volatility, years float64
	paths                                 int
	random                                input.Random
}

func read() (o option, err error) {
	for _, variable := range []struct {
		name        string
		least, most uint64
		unit        float64
		value       *float64
	}{
		{"SPOT_CENTS", 1, 100_000_000, 100, &o.spot},
		{"STRIKE_CENTS", 1, 100_000_000, 100, &o.strike},
		{"RATE_BP", 0, 100_000, 10_000, &o.rate},
		{"VOLATILITY_BP", 0, 100_000, 10_000, &o.volatility},
		{"DAYS", 0, 36_500, 365, &o.years},
	} {
		number, err := input.Number(variable.name, variable.least, variable.most)
		if err != nil {
			return o, err
		}
		*variable.value = float64(number) / variable.unit
	}
	paths, err := input.Number("PATHS", 1, 1_000_000_000)
	if err != nil {
		return o, err
	}
	o.paths = int(paths)
	o.random, err = input.Seed()
	return o, err
}

func run() ([]byte, error) {
	o, err := read()
	if err != nil {
		return nil, err
	}
	call, put := o.prices()
	return fmt.Appendf(nil, "call %.4f put %.4f\n", call, put), nil
}

func (o *option) prices() (call, put float64) {
	drift := (o.rate - o.volatility*o.volatility/2) * o.years
	spread := o.volatility * math.Sqrt(o.years)
	var pair [2]float64
	for path := range o.paths {
		if path%2 == 0 {
			pair[0], pair[1] = o.normals()
		}
		end := o.spot * math.Exp(drift+spread*pair[path%2])
		call += max(end-o.strike, 0)
		put += max(o.strike-end, 0)
	}
	discount := math.Exp(-o.rate * o.years)
	return discount * call / float64(o.paths), discount * put / float64(o.paths)
}

// normals gives two normal numbers by Marsaglia's polar method.
func (o *option) normals() (float64, float64) {
	for {
		a, b := o.uniform(), o.uniform()
		if s := a*a + b*b; s < 1 {
			m := math.Sqrt(-2 * math.Log(s) / s)
			return a * m, b * m
		}
	}
}

// uniform is a number from -1 to 1.
func (o *option) uniform() float64 {
	return (float64(o.random.Next())+0.5)/2147483648 - 1
}
