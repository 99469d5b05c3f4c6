// An HTML page with TITLE and a table of ROWS rows.

import { number, print, repeat, text } from "input";

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escaped = (text) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);

const price = (cents) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;

function render(title, rows) {
  const prices = Array.from({ length: rows }, (_, i) => ((i + 1) * (i + 1) * 7919) % 10000);
  return `<!DOCTYPE html>
<html>
<head><title>${escaped(title)}</title></head>
<body>
<h1>${escaped(title)}</h1>
<table>
${prices.map((cents, i) => `<tr><td>${i + 1}</td><td>${escaped(title)}</td><td>${price(cents)}</td></tr>\n`).join("")}</table>
<p>${rows} rows, ${price(prices.reduce((sum, cents) => sum + cents, 0))} in total</p>
</body>
</html>
`;
}

export default function () {
  const title = text("TITLE");
  const rows = number("ROWS", 0, 100000);
  print(repeat(() => render(title, rows)));
}
