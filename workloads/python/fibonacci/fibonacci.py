"""The Nth Fibonacci number by plain recursion, ITERATIONS times."""

import os
import sys

# The last one that fits 64 bits.
LARGEST = 93


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


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def main() -> None:
    n = number("N", 0, LARGEST)
    for _ in range(iterations()):
        result = fibonacci(n)
    print(result)


try:
    main()
except BadInput as fault:
    print(fault, file=sys.stderr)
    sys.exit(2)
