// Encodes standard input as Base64 (RFC 4648, section 4), or decodes it.
package main

import (
	"bytes"
	"encoding/base64"

	"workloads/input"
)

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	mode, err := input.Text("MODE")
	if err != nil {
		return nil, err
	}
	work, ok := map[string]func([]byte) ([]byte, error){"encode": encode, "decode": decode}[mode]
	if !ok {
		return nil, &input.Refusal{Variable: "MODE", What: "is neither encode nor decode"}
	}
	data, err := input.Read()
	if err != nil {
		return nil, err
	}
	return input.Repeat(func() ([]byte, error) { return work(data) })
}

func encode(data []byte) ([]byte, error) {
	text := make([]byte, 0, base64.StdEncoding.EncodedLen(len(data))+1)
	return append(base64.StdEncoding.AppendEncode(text, data), '\n'), nil
}

func decode(text []byte) ([]byte, error) {
	text = bytes.TrimSuffix(text, []byte("\n"))
	// The library skips line breaks.
	if bytes.ContainsAny(text, "\r\n") {
		return nil, refuse("a line break is inside")
	}
	data := make([]byte, 0, base64.StdEncoding.DecodedLen(len(text)))
	data, err := base64.StdEncoding.Strict().AppendDecode(data, text)
	if err != nil {
		return nil, refuse(err.Error())
	}
	return data, nil
}

func refuse(what string) error { return &input.Refusal{Variable: "standard input", What: what} }
