"""Run one measurement in this process and print its figures: python -m bench.speed NAME."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from bench.speed.tasks import TASKS


def main(name: str) -> None:
    """Print the figures of the measurement called `name` as one line of JSON."""
    figures = [asdict(figure) for figure in TASKS[name].measure()]
    sys.stdout.write("\n" + json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
