"""What the commands share: which library is meant, the options, and errors shown in one place."""

from __future__ import annotations

import errno
import functools
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.address import Place, is_remote
from index.errors import QuestionError, QuothError, SourceError
from index.types import Filter
from qa.visible import VisibleFormatter, one_line

if TYPE_CHECKING:
    from index.library import Library
    from index.types import Encoder

__all__ = [
    "LibraryPlace",
    "OneSentenceGroup",
    "chosen_model",
    "configure_logging",
    "filter_options",
    "json_option",
    "library_option",
    "model_option",
    "open_library",
    "resolve_library",
    "unmade_on_failure",
    "yes_option",
]

logger = logging.getLogger(f"quoth.{__name__}")

SUFFIX = ".quoth"


class LibraryPlace(click.ParamType[Place]):
    """A folder, or the address of a library beyond this machine (`index.address`)."""

    name = "path"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Place:
        """Return an address as it is, and anything else as a path."""
        return value if isinstance(value, Path) or is_remote(value) else Path(value)


library_option = click.option(
    "-l",
    "--library",
    type=LibraryPlace(),
    metavar="PATH",
    show_default="$QUOTH_LIBRARY, else FOLDER.quoth, else the only *.quoth here",
    help="Folder of the library, or its address.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line instead of text."
)
model_option = click.option(
    "--model",
    metavar="NAME",
    show_default="all-MiniLM-L6-v2, or the library's own",
    help="Name or folder of a sentence-transformers model.",
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Remove without asking.")


def resolve_library(folder: Path | None, library: Place | None) -> Place:
    """Return which library is meant, a folder or an address; it need not exist.

    `library` if given, else the environment variable QUOTH_LIBRARY, else FOLDER.quoth beside
    `folder`; without a folder the only `*.quoth` folder in the current directory.

    Raises:
        click.UsageError: Nothing says which library is meant.
    """
    if library is not None:
        return library
    if named := os.environ.get("QUOTH_LIBRARY"):
        return named if is_remote(named) else Path(named)
    if folder is not None:
        beside = Path(os.path.abspath(folder))
        if not beside.name:
            raise click.UsageError(
                f"{folder} has no place beside it for a library: give --library."
            )
        return beside.with_name(beside.name + SUFFIX)
    here = sorted(path for path in Path.cwd().glob(f"*{SUFFIX}") if path.is_dir())
    if len(here) == 1:
        return Path(here[0].name)
    found = "there is no" if not here else f"there are {len(here)} folders named"
    raise click.UsageError(
        f"Which library? Give --library or set QUOTH_LIBRARY; {found} *{SUFFIX} in this directory."
    )


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which documents are searched; `command` gets them as `where`."""

    @functools.wraps(command)
    def with_filter(
        *args: Any,  # noqa: ANN401 - whatever the command takes
        folder: str | None,
        pattern: str | None,
        type_: str | None,
        after: str | None,
        before: str | None,
        **others: Any,  # noqa: ANN401
    ) -> None:
        where = Filter(folder=folder, pattern=pattern, type=type_, after=after, before=before)
        command(*args, where=None if where == Filter() else where, **others)

    for name, variable, metavar, callback, text in reversed(_FILTERS):
        with_filter = click.option(
            name, variable, metavar=metavar, callback=callback, show_default="all", help=text
        )(with_filter)
    return with_filter


def _day(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day such as 2024-05-31.") from None


_FILTERS = (
    ("--folder", "folder", "NAME", None, "Only this folder of a source and those inside it."),
    ("--pattern", "pattern", "GLOB", None, 'Only paths or file names such as "*.pdf".'),
    ("--type", "type_", "TYPE", None, 'Only this format, such as "pdf" or "markdown".'),
    ("--after", "after", "DAY", _day, "Only documents dated DAY (such as 2024-05-31) or later."),
    ("--before", "before", "DAY", _day, "Only documents dated DAY or earlier."),
)


@contextmanager
def unmade_on_failure(library: Place) -> Iterator[None]:
    """Take away the empty library that was made for nothing, since its first sync did not begin."""
    existed = isinstance(library, str) or library.exists()
    try:
        yield
    except SourceError:
        if isinstance(library, Path) and not existed:
            shutil.rmtree(library, ignore_errors=True)
        raise


@contextmanager
def open_library(
    library: Place | None, where: Filter | None = None, *, read_only: bool = True
) -> Iterator[Library]:
    """Yield the library that is meant, opened, and close it in the end.

    Raises:
        SourceError: No document of it passes the filter.
    """
    from index.library import Library

    with Library.open(resolve_library(None, library), read_only=read_only) as opened:
        if where is not None and not opened.documents(where):
            raise SourceError(
                "No document of the library passes the filters; `quoth status --documents` lists "
                "them with their paths, formats and dates."
            )
        yield opened


def chosen_model(name: str | None) -> Encoder | None:
    """Return the encoder called `name`, None when none was named."""
    if name is None:
        return None
    from index.encoder import load_encoder

    return load_encoder(name)


class OneSentenceGroup(click.Group):
    """A group of commands that shows every error as one sentence on stderr.

    Exit status: 0 done, 1 failed, 2 wrong usage (also a question that cannot be asked),
    130 interrupted.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were added, which is that of use."""
        return list(self.commands)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> Any:  # noqa: ANN401
        """Run the command line; in standalone mode exit with the status."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        sys.exit(self._status(args, prog_name or "quoth", complete_var, **extra))

    def _status(
        self,
        args: Sequence[str] | None,
        prog_name: str,
        complete_var: str | None,
        **extra: Any,  # noqa: ANN401
    ) -> int:
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            return 2
        except click.ClickException as error:
            _say(_with_hint(error))
            return error.exit_code
        except click.Abort:
            return 130
        except QuothError as error:
            logger.debug("the command failed", exc_info=True)
            _say(str(error))
            return 2 if isinstance(error, QuestionError) else 1
        except OSError as error:
            if error.errno == errno.EPIPE:
                # Whoever read the output has gone; the interpreter must not try again at its end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return 1
            logger.debug("the command failed", exc_info=True)
            _say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
            return 1
        except Exception as error:
            logger.debug("the command failed", exc_info=True)
            _say(
                f"Something went wrong that should not ({type(error).__name__}: {error}); "
                "`quoth --debug …` shows the traceback."
            )
            return 1
        return status if isinstance(status, int) else 0


def _with_hint(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message} (`{error.ctx.command_path} --help` explains)"
    return message


def _say(message: str) -> None:
    click.echo(f"quoth: {one_line(message)}", err=True)


class _ToStderr(logging.Handler):
    """Writes to whatever stderr is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def configure_logging(*, debug: bool) -> None:
    """Send what Quoth logs to stderr: all of it with `debug`, else warnings."""
    root = logging.getLogger("quoth")
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    if not any(isinstance(handler, _ToStderr) for handler in root.handlers):
        handler = _ToStderr()
        handler.setFormatter(VisibleFormatter("quoth: %(message)s"))
        root.addHandler(handler)
