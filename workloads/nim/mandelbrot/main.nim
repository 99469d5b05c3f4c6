## Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps.

import input

func escape(cx, cy: float, limit: int): int =
  var zx, zy = 0.0
  while result < limit and zx * zx + zy * zy <= 4.0:
    (zx, zy) = (zx * zx - zy * zy + cx, 2.0 * zx * zy + cy)
    inc result

func count(size, limit: int): tuple[inside, steps: int64] =
  for row in 0..<size:
    let cy = 3.0 * (row.float + 0.5) / size.float - 1.5
    for column in 0..<size:
      let steps = escape(3.0 * (column.float + 0.5) / size.float - 2.25, cy, limit)
      result.steps += steps
      if steps == limit:
        inc result.inside

var size = number("SIZE", 1, 4000).int
let limit = number("LIMIT", 1, 100_000).int
var counts: tuple[inside, steps: int64]
for _ in 1..iterations():
  counts = count(hidden(size), limit)
echo counts.inside, " ", counts.steps
