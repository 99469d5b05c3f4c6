"""Greets whoever NAME names."""

import os
import sys


def main() -> None:
    try:
        name = os.environ["NAME"]
    except KeyError:
        print("NAME: is not set", file=sys.stderr)
        sys.exit(2)
    print(f"Hello, {name}!")


main()
