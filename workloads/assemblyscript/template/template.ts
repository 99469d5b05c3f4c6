// An HTML page with TITLE and a table of ROWS rows.

import { iterations, number, print, text } from "../common/input";

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function price(cents: u64): string {
  return `${cents / 100}.${(cents % 100).toString().padStart(2, "0")}`;
}

function render(title: string, rows: u64): string {
  const page: string[] = [
    `<!DOCTYPE html>
<html>
<head><title>${escaped(title)}</title></head>
<body>
<h1>${escaped(title)}</h1>
<table>
`];
  let total: u64 = 0;
  for (let row: u64 = 1; row <= rows; ++row) {
    const cents = row * row * 7919 % 10000;
    total += cents;
    page.push(`<tr><td>${row}</td><td>${escaped(title)}</td><td>${price(cents)}</td></tr>\n`);
  }
  page.push(`</table>
<p>${rows} rows, ${price(total)} in total</p>
</body>
</html>
`);
  return page.join("");
}

const title = text("TITLE");
const rows = number("ROWS", 0, 100_000);
let page = "";
for (let i = iterations(); i > 0; --i) page = render(title, rows);
print(page);
