"""Many people at once: what they wait for, and whether anyone gets what is not theirs.

python bench/load.py [--people 50] [--minutes 10] [--think 12] [--password] [--json]

The real server (`quoth chat`) over the example documents and a document for each person, on this
machine. Every person has a browser of their own without a screen, asks about what nobody else asks
about, follows up, opens sources, lists, exports, judges, stops and deletes; meanwhile documents are
added, replaced and removed. After a quarter of the time the server is killed and started again.
Every reply is checked. The baseline is one person alone, before the others come. It ends with exit
status 1 when a promise was broken.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/load.py

from bench.loading.material import example_questions, write_documents
from bench.loading.process import Server
from bench.loading.report import figures, printed
from bench.loading.scene import Plan, play
from bench.options import json_option, tell, write_figures


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--people", default=50, show_default=True, type=click.IntRange(2, 120))
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.2))
@click.option(
    "--think",
    default=12.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Mean seconds between two things that a person does.",
)
@click.option("--password", is_flag=True, help="Ask everyone for a password.")
@json_option
def main(people: int, minutes: float, think: float, password: bool, json_to: str | None) -> None:
    """Let many people use one server, and check everything that they get."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise click.ClickException("this reads memory and open files from /proc; run it on Linux")
    plan = Plan(people=people, seconds=60 * minutes, think=think)
    with TemporaryDirectory(prefix="quoth-load-") as place:
        server = Server(Path(place), password=password)
        write_documents(server.documents, people)
        tell("indexing the documents")
        server.index()
        outcome = asyncio.run(play(server, plan, example_questions(), tell))
    result = figures(outcome)
    if json_to != "-":
        click.echo(printed(result))
    write_figures(json_to, result)
    if result["broken"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
