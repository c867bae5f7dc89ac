"""The commands that keep a library safe and sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from index.address import Place, is_remote
from qa.cli_options import (
    LibraryPlace,
    chosen_model,
    json_option,
    library_option,
    model_option,
    open_library,
    resolve_library,
)
from qa.cli_output import print_json, print_lines
from qa.lines import human_bytes, status_lines
from qa.progress import shown_progress
from qa.visible import one_line

if TYPE_CHECKING:
    from index.library import Library
    from index.upkeep.restore import Restored
    from qa.verify import Verdict, Verifier

__all__ = ["backup", "compact", "copy", "doctor", "rebuild", "relocate", "restore", "verify"]

_file = click.Path(path_type=Path)
_moves = click.option(
    "--source",
    "moves",
    metavar="OLD=NEW",
    multiple=True,
    show_default="where they were",
    help="Where the documents that were in folder OLD are now; more than once if need be.",
)


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows on stderr, in a terminal, what is being done."""
    import sys

    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    with console.status("") as status:
        # No markup: what is shown may have a name of a file in it.
        yield lambda step: status.update(Text(one_line(step)))


def _tell(sentence: str) -> None:
    click.echo(f"quoth: {one_line(sentence)}", err=True)


@click.command()
@library_option
@model_option
@json_option
def rebuild(library: Place | None, model: str | None, as_json: bool) -> None:
    """Make the search indexes anew, or change the model.

    Without --model nothing is embedded again; with it everything is, while search goes on.
    """
    encoder = chosen_model(model)
    with open_library(library, read_only=False) as opened:
        with shown_progress() as show:
            opened.rebuild(encoder=encoder, progress=show)
        state = opened.status()
    if as_json:
        print_json("rebuild", state)
    else:
        print_lines(status_lines(state))


@click.command()
@library_option
@json_option
def compact(library: Place | None, as_json: bool) -> None:
    """Free the space of what was removed."""
    with open_library(library, read_only=False) as opened:
        freed = opened.compact()
    if as_json:
        print_json("compact", {"bytes": freed, "left": freed.left})
    else:
        click.echo(f"{human_bytes(freed)} freed")
    if freed.left:
        _tell(freed.left)
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file", type=_file)
@library_option
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
def backup(file: Path, library: Place | None, force: bool, as_json: bool) -> None:
    """Write the library into one FILE, also while it is in use.

    The file holds the documents' text, the conversations and the uploaded files, readable by
    you alone. `quoth restore` makes a library of it, on any machine. Folders that are synced
    are not in it: back them up as you do anyway.
    """
    with open_library(library) as opened, _steps() as show:
        show("backing up")
        made = opened.backup(file, force=force)
    from qa.upkeep_lines import backup_lines

    for told in (*made.warnings, *made.missing):
        _tell(told)
    if as_json:
        print_json("backup", made)
    else:
        print_lines(backup_lines(made))
    if made.missing:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file", type=_file)
@click.argument("library", required=False, type=LibraryPlace())
@_moves
@click.option("--force", is_flag=True, help="Replace the library that is there; nobody may use it.")
@click.option("--dry-run", is_flag=True, help="Only compare FILE with its hashes.")
@json_option
def restore(
    file: Path,
    library: Place | None,
    moves: tuple[str, ...],
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make the folder LIBRARY of a backup FILE.

    All of FILE is compared with its hashes before anything is written, and the library appears
    when it is complete and checked. Without LIBRARY it is $QUOTH_LIBRARY.
    """
    if dry_run:
        from index.upkeep.restore import read_backup
        from qa.upkeep_lines import manifest_lines

        with _steps() as show:
            show("comparing the backup with its hashes")
            manifest = read_backup(file)
        if as_json:
            print_json("backup", manifest)
        else:
            print_lines(manifest_lines(manifest))
        return
    restored = _restored(file, library, moves, force=force)
    if as_json:
        print_json("restore", restored)
        return
    from qa.upkeep_lines import restored_lines

    print_lines(restored_lines(restored))


def _restored(
    file: Path, library: Place | None, moves: tuple[str, ...], *, force: bool
) -> Restored:
    from index.upkeep.restore import restore_library

    named = library or os.environ.get("QUOTH_LIBRARY")
    if named is None:
        raise click.UsageError("Which library? Give LIBRARY or set QUOTH_LIBRARY.")
    if is_remote(named):
        raise click.UsageError(
            "A backup is restored into a folder; `quoth copy` takes that to an address."
        )
    with _steps() as show:
        return restore_library(
            file, Path(named), sources=dict(map(_move, moves)), force=force, progress=show
        )


def _move(given: str) -> tuple[str, str]:
    old, sign, new = given.partition("=")
    if not (old and sign and new):
        raise click.BadParameter(f"{given!r} is not OLD=NEW.", param_hint="--source")
    return old, new


@click.command()
@click.argument("old")
@click.argument("new")
@library_option
@json_option
def relocate(old: str, new: str, library: Place | None, as_json: bool) -> None:
    """Say that the documents in folder OLD are in folder NEW now.

    Nothing is read or embedded again: the next `quoth sync NEW` compares what is there. OLD may
    also be a folder above several that are synced.
    """
    with open_library(library, read_only=False) as opened:
        moved = opened.relocate({old: new})
    if as_json:
        print_json("relocate", {"moved": moved})
        return
    for before, after in moved:
        click.echo(one_line(f"{before} is {after} now"))


@click.command()
@click.argument("source", metavar="LIBRARY", type=LibraryPlace())
@click.argument("target", metavar="PLACE", type=LibraryPlace())
@json_option
def copy(source: Place, target: Place, as_json: bool) -> None:
    """Copy LIBRARY to another PLACE, where there is none yet.

    Both are a folder, or an address such as postgresql://host/database. Documents, uploads and
    conversations are copied, and nothing is embedded again. LIBRARY stays as it is; it can be
    searched meanwhile, but not changed.
    """
    from index.upkeep.copy import copy_library
    from qa.upkeep_lines import copied_lines

    with _steps() as show:
        copied = copy_library(source, target, progress=show)
    for told in copied.warnings:
        _tell(told)
    if as_json:
        print_json("copy", copied)
    else:
        print_lines(copied_lines(copied))


@click.command()
@click.argument("files", nargs=-1, type=_file)
@library_option
@click.option("--conversations", is_flag=True, help="Check what kept conversations quote.")
@json_option
def verify(
    files: tuple[Path, ...], library: Place | None, conversations: bool, as_json: bool
) -> None:
    """Compare quotes of saved answers with the library and the files.

    FILES are answers or conversations exported as JSON, or what `quoth ask --json` printed.
    Without FILES every document of the library is compared with its file. Exit status 0 says
    that all are verified.
    """
    with open_library(library) as opened, _steps() as show:
        show("comparing")
        noun = "quote" if files or conversations else "document"
        verdicts = _verdicts(opened, files, conversations=conversations)
    from qa.upkeep_lines import totals, totals_line, verdict_lines

    if as_json:
        for verdict in verdicts:
            print_json(noun, verdict)
        print_json("verify", totals(verdicts))
    else:
        print_lines(verdict_lines(verdicts))
        print_lines([totals_line(verdicts, noun)])
    if any(verdict.status != "verified" for verdict in verdicts):
        raise click.exceptions.Exit(1)


def _verdicts(library: Library, files: tuple[Path, ...], *, conversations: bool) -> list[Verdict]:
    from qa.saved import claims_in
    from qa.verify import Verifier

    verifier = Verifier(library)
    if not files and not conversations:
        return list(verifier.documents())
    claims = [claim for file in files for claim in claims_in(file)]
    verdicts = list(verifier.quotes(claims))
    return [*verdicts, *_kept_verdicts(library, verifier)] if conversations else verdicts


def _kept_verdicts(library: Library, verifier: Verifier) -> Iterator[Verdict]:
    from qa.chats.kept import kept_claims
    from qa.verify import Verdict

    for turn, claims in kept_claims(library.path):
        if claims is None:
            detail = f"Turn {turn.id} of a conversation is not what was kept; `quoth doctor`."
            yield Verdict(status="damaged", detail=detail, question=turn.question)
            continue
        for verdict in verifier.quotes(claims):
            yield replace(verdict, question=turn.question)


@click.command()
@library_option
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option(
    "--offline",
    is_flag=True,
    help="Prove that syncing and asking open no network socket.",
)
@json_option
def doctor(library: Place | None, repair: bool, offline: bool, as_json: bool) -> None:
    """Look everything over and say what to do.

    The installation, the models, the library to its last bit, its conversations, its sources.
    With --offline a small sync and some questions run where the kernel refuses and reports
    every network socket. Exit status 0 says that everything is in order.
    """
    from qa.doctor import examine
    from qa.upkeep_lines import diagnosis_lines

    try:
        path: Place | None = resolve_library(None, library)
    except click.UsageError as error:
        path = None
        _tell(f"No library is looked at. {error.format_message()}")
    with _steps() as show:
        diagnosis = examine(path, repair=repair, offline=offline, progress=show)
    if as_json:
        print_json(
            "doctor",
            {
                "ok": not diagnosis.wrong,
                "facts": dict(diagnosis.facts),
                "done": diagnosis.done,
                "findings": diagnosis.findings,
            },
        )
    else:
        print_lines(diagnosis_lines(diagnosis))
    if diagnosis.wrong:
        raise click.exceptions.Exit(1)
