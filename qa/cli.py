"""The `quoth` command: each function parses, calls the library and prints."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from index.address import Place
from index.errors import LibraryNotFoundError, QuothError, SourceError
from index.types import Filter
from qa.cli_ask import ask
from qa.cli_evaluate import evaluate
from qa.cli_options import (
    OneSentenceGroup,
    chosen_model,
    configure_logging,
    filter_options,
    json_option,
    library_option,
    model_option,
    open_library,
    resolve_library,
    unmade_on_failure,
    yes_option,
)
from qa.cli_output import print_json, print_lines
from qa.cli_password import password
from qa.cli_serve import serve
from qa.cli_upkeep import backup, compact, copy, doctor, rebuild, relocate, restore, verify
from qa.lines import (
    document_lines,
    failure_lines,
    find_lines,
    listing_lines,
    passage_lines,
    report_lines,
    status_lines,
)
from qa.progress import sync_with_progress
from qa.render import to_plain
from qa.visible import one_line

if TYPE_CHECKING:
    from index.library import Library
    from index.reports import SyncReport

__all__ = ["cli", "resolve_library", "sync_with_progress"]

_EPILOG = """
\b
Results go to stdout, progress and errors to stderr. With --json a result is
one JSON object on one line: its "kind", then the fields of the Python value.
Exit status:
  0    done, also when the documents do not say
  1    failed, or a file was skipped; the reason is told
  2    wrong usage, also a missing folder and a question that is empty or too long
  130  interrupted
"""


def _show_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"quoth {version('quoth')}")
    except PackageNotFoundError:
        click.echo("quoth (run from its source, not installed)")
    context.exit()


@click.group(
    cls=OneSentenceGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Log to stderr, with the traceback of an error.")
def cli(debug: bool) -> None:
    """Answer questions about your own documents in their words, and show where."""
    configure_logging(debug=debug)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that lacks a character shows a question mark instead of an error.
        sys.stdout.reconfigure(errors="replace")


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@library_option
@click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
@click.option("--full", is_flag=True, help="Compare the content of every file, not its date.")
@yes_option
@model_option
@click.option(
    "--ray",
    metavar="ADDRESS",
    show_default="this machine alone",
    help="Read and embed on the nodes of a Ray cluster, such as auto or ray://head:10001.",
)
@json_option
def sync(
    folder: Path,
    library: Place | None,
    dry_run: bool,
    full: bool,
    yes: bool,
    model: str | None,
    ray: str | None,
    as_json: bool,
) -> None:
    """Bring the library in step with FOLDER, or with one file.

    What is new is added, what changed is read again, what is gone from FOLDER leaves the
    library. When more than half of FOLDER is gone you are asked first; without a terminal
    nothing is changed unless you give --yes.
    """
    from index.library import Library

    if not folder.exists():
        raise click.UsageError(f"There is no folder or file at {folder}; nothing was changed.")
    path = resolve_library(folder, library)
    report = _dry_run(path, folder, full=full, model=model) if dry_run else None
    if report is None:
        with (
            unmade_on_failure(path),
            Library.open(path, create=True, encoder=chosen_model(model)) as opened,
        ):
            report = _sync(opened, folder, full=full, yes=yes, ray=ray)
    if as_json:
        print_json("sync", report)
    else:
        print_lines(report_lines(report))
    if report.skipped:
        raise click.exceptions.Exit(1)


cli.add_command(ask)


def _dry_run(path: Place, folder: Path, *, full: bool, model: str | None) -> SyncReport:
    """Return what a sync would do; a library that does not exist yet is not made for it."""
    from index.library import Library

    encoder = chosen_model(model)
    with TemporaryDirectory() as temporary:
        try:
            library = Library.open(path, encoder=encoder)
        except LibraryNotFoundError:
            library = Library.open(Path(temporary) / "dry.quoth", create=True, encoder=encoder)
        with library:
            return library.sync(folder, dry_run=True, full=full)


def _sync(library: Library, folder: Path, *, full: bool, yes: bool, ray: str | None) -> SyncReport:
    try:
        return sync_with_progress(library, folder, full=full, yes=yes, ray=ray)
    except SourceError:
        if not _can_ask():
            raise
        # A dry run raises everything but the refusal to remove more than half.
        gone = library.sync(folder, dry_run=True, full=full).removed
        _ask(f"{len(gone)} documents are gone from {folder}. Remove them from the library?")
        return sync_with_progress(library, folder, full=full, yes=True, ray=ray)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(question: str) -> None:
    if not click.confirm(one_line(question), err=True):
        raise QuothError("Nothing was changed.")


@cli.command()
@click.argument("question", nargs=-1, required=True)
@click.option("-k", "--passages", "k", default=5, type=click.IntRange(1, 100), help="How many.")
@library_option
@filter_options
@json_option
def retrieve(
    question: tuple[str, ...],
    k: int,
    library: Place | None,
    where: Filter | None,
    as_json: bool,
) -> None:
    """Show the passages that fit QUESTION best, and why."""
    asked = " ".join(question)
    with open_library(library, where) as opened:
        from qa.retriever import Retriever

        passages = Retriever(opened).retrieve(asked, k=k, where=where)
    if as_json:
        print_json("passages", {"question": asked, "passages": passages})
    else:
        print_lines(passage_lines(passages))


@cli.command()
@click.argument("words", nargs=-1, required=True)
@library_option
@filter_options
@json_option
def find(
    words: tuple[str, ...], library: Place | None, where: Filter | None, as_json: bool
) -> None:
    """List every sentence with all WORDS.

    A phrase is given in quotation marks: quoth find "annual inspection". What is listed is all
    there is, with totals by document.
    """
    with open_library(library, where) as opened:
        result = opened.find(" ".join(map(_as_phrase, words)), where=where)
    if as_json:
        print_json("find", to_plain(result) | {"total": result.total})
    else:
        print_lines(find_lines(result))


def _as_phrase(argument: str) -> str:
    # The shell has taken the quotation marks of `quoth find "annual inspection"` away.
    return f'"{argument}"' if " " in argument and '"' not in argument else argument


@cli.command()
@library_option
@click.option(
    "--documents",
    "list_documents",
    is_flag=True,
    help="List every document as well, and what failed.",
)
@json_option
def status(library: Place | None, list_documents: bool, as_json: bool) -> None:
    """Say what the library holds: documents, sources, model, size."""
    with open_library(library) as opened:
        state = opened.status()
        documents = opened.documents() if list_documents else []
        failures = opened.failures() if list_documents else ()
    if as_json:
        listed = {"list": documents, "failures": failures} if list_documents else {}
        print_json("status", to_plain(state) | listed)
        return
    print_lines(status_lines(state))
    if list_documents:
        print_lines(listing_lines(documents))
        print_lines(failure_lines(failures))


@cli.command()
@click.argument("what", nargs=-1, required=True)
@library_option
@yes_option
@json_option
def remove(what: tuple[str, ...], library: Place | None, yes: bool, as_json: bool) -> None:
    """Take documents out of the library.

    WHAT is a document's number or path, as `quoth status --documents` lists them, or a folder.
    The files themselves stay where they are. You are asked before more than one document
    goes; without a terminal nothing is removed then unless you give --yes.
    """
    with open_library(library, read_only=False) as opened:
        doomed = {document.id for name in what for document in opened.named(name)}
        if len(doomed) > 1 and not yes:
            if not _can_ask():
                raise QuothError(
                    f"{len(doomed)} documents would leave the library; nothing was changed. "
                    "Give --yes to remove them."
                )
            _ask(f"Remove {len(doomed)} documents from the library?")
        removed = [gone for name in dict.fromkeys(what) for gone in opened.remove(name)]
    if as_json:
        print_json("remove", {"documents": removed})
    else:
        print_lines(document_lines(removed, "removed"))


for command in (
    *(rebuild, compact, relocate, copy, backup, restore, verify, doctor),
    *(serve, evaluate, password),
):
    cli.add_command(command)
