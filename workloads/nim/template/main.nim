## An HTML page with TITLE and a table of ROWS rows.

import std/[strformat, strutils]
import input

type Price = distinct uint64 ## Cents.

func `$`(price: Price): string =
  let cents = price.uint64
  &"{cents div 100}.{cents mod 100:02}"

func escaped(text: string): string =
  # That of std/xmltree writes other entities.
  text.multiReplace(("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;"))

func render(title: string, rows: uint64): string =
  result = &"""
<!DOCTYPE html>
<html>
<head><title>{escaped(title)}</title></head>
<body>
<h1>{escaped(title)}</h1>
<table>
"""
  var total: uint64
  for row in 1..rows:
    let cents = row * row * 7919 mod 10_000
    total += cents
    result.add &"<tr><td>{row}</td><td>{escaped(title)}</td><td>{Price(cents)}</td></tr>\n"
  result.add &"""
</table>
<p>{rows} rows, {Price(total)} in total</p>
</body>
</html>
"""

var title = text("TITLE")
let rows = number("ROWS", 0, 100_000)
var page: string
for _ in 1..iterations():
  page = render(hidden(title), rows)
stdout.write(page)
