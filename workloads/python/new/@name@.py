"""Counts the lines of standard input that contain WORD."""

import os
import sys


def main() -> None:
    word = os.environ.get("WORD")
    if word is None:
        print("WORD: is not set", file=sys.stderr)
        sys.exit(2)
    print(sum(word in line for line in sys.stdin))


main()
