"""An HTML page with TITLE and a table of ROWS rows."""

import os
import sys

ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


class BadInput(Exception):
    """A variable that is missing or makes no sense."""


def number(variable: str, least: int, most: int) -> int:
    """A variable that must be a whole number, in digits only."""
    digits = os.environ.get(variable)
    if digits is None:
        raise BadInput(f"{variable}: is not set")
    try:
        value = int(digits) if digits.isascii() and digits.isdecimal() else None
    except ValueError:  # thousands of digits
        value = None
    if value is None or not least <= value <= most:
        raise BadInput(f"{variable}: {digits!a} is not a whole number from {least} to {most}")
    return value


def iterations() -> int:
    """How many times the work is to be done: the variable ITERATIONS, or once."""
    return number("ITERATIONS", 1, sys.maxsize) if "ITERATIONS" in os.environ else 1


def escaped(text: str) -> str:
    # html.escape writes &#x27; for the apostrophe.
    return text.translate(ENTITIES)


def price(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def render(title: str, rows: int) -> str:
    prices = [row * row * 7919 % 10000 for row in range(1, rows + 1)]
    table = "".join(
        f"<tr><td>{row}</td><td>{escaped(title)}</td><td>{price(cents)}</td></tr>\n"
        for row, cents in enumerate(prices, 1)
    )
    return f"""<!DOCTYPE html>
<html>
<head><title>{escaped(title)}</title></head>
<body>
<h1>{escaped(title)}</h1>
<table>
{table}</table>
<p>{rows} rows, {price(sum(prices))} in total</p>
</body>
</html>
"""


def main() -> None:
    title = os.environ.get("TITLE")
    if title is None:
        raise BadInput("TITLE: is not set")
    rows = number("ROWS", 0, 100_000)
    for _ in range(iterations()):
        page = render(title, rows)
    sys.stdout.write(page)


try:
    main()
except BadInput as fault:
    print(fault, file=sys.stderr)
    sys.exit(2)
