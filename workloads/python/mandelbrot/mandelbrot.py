"""Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps."""

import os
import sys


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


def escape(cx: float, cy: float, limit: int) -> int:
    zx = zy = 0.0
    steps = 0
    while steps < limit and zx * zx + zy * zy <= 4.0:
        zx, zy = zx * zx - zy * zy + cx, 2.0 * zx * zy + cy
        steps += 1
    return steps


def count(size: int, limit: int) -> tuple[int, int]:
    inside = total = 0
    for row in range(size):
        cy = 3.0 * (row + 0.5) / size - 1.5
        for column in range(size):
            cx = 3.0 * (column + 0.5) / size - 2.25
            steps = escape(cx, cy, limit)
            total += steps
            inside += steps == limit
    return inside, total


def main() -> None:
    size = number("SIZE", 1, 4000)
    limit = number("LIMIT", 1, 100_000)
    for _ in range(iterations()):
        inside, total = count(size, limit)
    print(inside, total)


try:
    main()
except BadInput as fault:
    print(fault, file=sys.stderr)
    sys.exit(2)
