// An HTML page with TITLE and a table of ROWS rows.
package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"workloads/input"
)

const layout = `<!DOCTYPE html>
<html>
<head><title>{{escape .Title}}</title></head>
<body>
<h1>{{escape .Title}}</h1>
<table>
{{range .Rows}}<tr><td>{{.Number}}</td><td>{{escape $.Title}}</td><td>{{.Price}}</td></tr>
{{end}}</table>
<p>{{len .Rows}} rows, {{.Total}} in total</p>
</body>
</html>
`

type page struct {
	Title string
	Rows  []row
	Total cents
}

type row struct {
	Number uint64
	Price  cents
}

type cents uint64

func (c cents) String() string { return fmt.Sprintf("%d.%02d", c/100, c%100) }

// That of html/template writes &#34; and more.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

var parsed = template.Must(template.New("page").Funcs(template.FuncMap{"escape": escaper.Replace}).Parse(layout))

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	title, err := input.Text("TITLE")
	if err != nil {
		return nil, err
	}
	rows, err := input.Number("ROWS", 0, 100_000)
	if err != nil {
		return nil, err
	}
	return input.Repeat(func() ([]byte, error) { return render(title, rows) })
}

func render(title string, rows uint64) ([]byte, error) {
	p := page{Title: title}
	for i := uint64(1); i <= rows; i++ {
		price := cents(i * i * 7919 % 10000)
		p.Rows = append(p.Rows, row{i, price})
		p.Total += price
	}
	var out bytes.Buffer
	err := parsed.Execute(&out, p)
	return out.Bytes(), err
}
