// Adds up the orders in a JSON document on standard input, per customer, and answers in JSON.
package main

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"maps"
	"slices"
	"strconv"
	"strings"

	"workloads/input"
)

const most = 1_000_000

// Pointers and slices tell what is missing from what is nothing.
type order struct {
	Customer *string `json:"customer"`
	Items    []item  `json:"items"`
}

type item struct {
	Quantity *uint64 `json:"quantity"`
	Cents    *uint64 `json:"cents"`
}

type sums struct {
	orders, cents uint64
}

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	document, err := input.Read()
	if err != nil {
		return nil, err
	}
	return input.Repeat(func() ([]byte, error) { return summarise(document) })
}

func summarise(document []byte) ([]byte, error) {
	var orders []order
	if err := json.Unmarshal(document, &orders, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, refuse(strconv.Quote(err.Error()))
	}
	if orders == nil {
		return nil, refuse("is null")
	}
	var all sums
	customers := make(map[string]sums)
	for _, order := range orders {
		cents, what := order.sum()
		if what != "" {
			return nil, refuse(what)
		}
		customer := customers[*order.Customer]
		customers[*order.Customer] = sums{customer.orders + 1, customer.cents + cents}
		all = sums{all.orders + 1, all.cents + cents}
	}
	return print(customers, all), nil
}

func refuse(what string) error { return &input.Refusal{Variable: "standard input", What: what} }

// sum is what the order costs in cents, or what is wrong with it.
func (o *order) sum() (cents uint64, wrong string) {
	if o.Customer == nil || o.Items == nil {
		return 0, "an order has no customer or items"
	}
	for _, item := range o.Items {
		if item.Quantity == nil || item.Cents == nil {
			return 0, "an item has no quantity or cents"
		}
		if *item.Quantity > most || *item.Cents > most {
			return 0, "a quantity or cents is above 1000000"
		}
		cents += *item.Quantity * *item.Cents
	}
	return cents, ""
}

// The answer's escapes are not those of the library, so it is written by hand.
func print(customers map[string]sums, all sums) []byte {
	out := []byte(`{"customers":[`)
	for i, name := range slices.Sorted(maps.Keys(customers)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"customer":"`...)
		out = appendEscaped(out, name)
		out = append(out, `",`...)
		out = customers[name].append(out)
	}
	out = append(out, `],`...)
	return append(all.append(out), '\n')
}

func (s sums) append(out []byte) []byte {
	out = append(out, `"orders":`...)
	out = strconv.AppendUint(out, s.orders, 10)
	out = append(out, `,"cents":`...)
	return append(strconv.AppendUint(out, s.cents, 10), '}')
}

func appendEscaped(out []byte, text string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case strings.IndexByte(`"\`, c) >= 0:
			out = append(out, '\\', c)
		default:
			out = append(out, c)
		}
	}
	return out
}
