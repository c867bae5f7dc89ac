"""Two web servers of one library in PostgreSQL: does each see at once what the other changes?

python bench/servers.py [--people 20] [--minutes 2] [--store URL] [--apart] [--json]

A `quoth chat` and a `quoth serve`, each with a home of its own, on this machine. People ask at both
in turn; documents are added, replaced, edited, deleted and removed through either, by its API and
by `quoth sync`, also at the same time. Halfway one is killed and started again; in the end somebody
else keeps the lock. Every reply is checked. The baseline is one server of a local library, with the
same people and changes, for the first quarter of the time. It ends with exit status 1 when a
promise was broken; --apart, which gives each server another library, shows that it notices.
Without --store it starts Debian's PostgreSQL.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/servers.py

from bench.loading.material import write_documents
from bench.loading.process import Server
from bench.loading.scene import Plan
from bench.options import json_option, tell, write_figures
from bench.sharing.report import figures, printed
from bench.sharing.scene import play
from bench.started import NotInstalledError, postgres

NAMES = ("A", "B", "C")  # on C no server runs
COMMANDS = ("chat", "serve", "serve")
PATIENCE = 300.0  # seconds, and three times as long as planned, until a run counts as stuck


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--people", default=20, show_default=True, type=click.IntRange(2, 120))
@click.option("--minutes", default=2.0, show_default=True, type=click.FloatRange(0.1))
@click.option(
    "--think",
    default=4.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Mean seconds between two questions of a person.",
)
@click.option("--store", metavar="URL", help="An empty database, such as postgresql://host/name.")
@click.option("--apart", is_flag=True, help="Give each server another library; it must be noticed.")
@json_option
def main(
    people: int, minutes: float, think: float, store: str | None, apart: bool, json_to: str | None
) -> None:
    """Let two servers share a library, and check that both tell the same truth."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise click.ClickException("this reads memory from /proc; run it on Linux")
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="quoth-servers-")))
        stores = _stores(stack, store, apart=apart)
        _must_be_empty(stores[0], place)
        alone, two, third = _machines(place, people, stores)
        tell("indexing the documents")
        for server in two if apart else two[:1]:
            server.index()
        plan = Plan(people, 60 * minutes, think)
        playing = asyncio.wait_for(play(plan, alone, two, third, tell), 3 * plan.seconds + PATIENCE)
        try:
            outcome = asyncio.run(playing)
        except TimeoutError:
            said = "\n".join(f"{server.name}: {server.tail()}" for server in two)
            raise click.ClickException(f"it does not come to its end.\n{said}") from None
    result = figures(outcome)
    if json_to != "-":
        click.echo(printed(result))
    write_figures(json_to, result)
    if result["broken"]:
        raise SystemExit(1)


def _stores(stack: ExitStack, given: str | None, *, apart: bool) -> tuple[str, str, str]:
    """Return the address of the library, as each machine has it."""
    if given is not None:
        if apart:
            raise click.UsageError("--apart makes its own databases; leave out --store.")
        return given, given, given
    try:
        server = stack.enter_context(postgres())
    except NotInstalledError as error:
        raise click.ClickException(str(error)) from error
    store = server.database()
    return store, server.database() if apart else store, store


def _machines(
    place: Path, people: int, stores: tuple[str, str, str]
) -> tuple[Server, list[Server], Server]:
    """Return a server with a library of its own, two of a library elsewhere, and a third machine.

    Args:
        place: An empty folder for all of them.
        people: For how many there are documents.
        stores: Address of the library, as each machine has it.
    """
    local = place / "alone"
    local.mkdir()
    write_documents(local / "documents", people)
    write_documents(place / "documents", people)
    for name in NAMES:
        (place / name).mkdir()
    first, second, third = (
        Server(
            place / name,
            password=False,
            documents=place / "documents",
            address=address,
            command=command,
        )
        for name, address, command in zip(NAMES, stores, COMMANDS, strict=True)
    )
    return Server(local, password=False), [first, second], third


def _must_be_empty(store: str, place: Path) -> None:
    from index import Library
    from index.address import address_of
    from index.errors import LibraryNotFoundError, QuothError

    try:
        Library.open(replace(address_of(store), home=place / "looked.quoth")).close()
    except LibraryNotFoundError:
        return
    except QuothError as error:
        raise click.ClickException(str(error)) from error
    raise click.ClickException("There is a library at this address already; give an empty one.")


if __name__ == "__main__":
    main()
