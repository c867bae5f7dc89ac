"""`quoth password`: makes the file that `quoth chat --password-file` reads."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from index.errors import QuothError
from qa.web.password import SHORTEST, Password, PasswordError

__all__ = ["password"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--token",
    "name",
    metavar="NAME",
    show_default="none",
    help="Make a token for the program NAME instead and print it, this once.",
)
@click.option("-y", "--yes", is_flag=True, help="Replace what is there.")
def password(file: Path, name: str | None, yes: bool) -> None:
    """Set the password that people need, in FILE.

    It is asked for twice, or read from stdin. FILE holds a hash of it, never the password. A
    program signs in with a token instead, in the header "Authorization: Bearer TOKEN"; several
    may be in FILE. A server reads FILE when it starts.
    """
    if name is not None:
        _token(file, name, replace=yes)
        return
    if file.exists() and not yes:
        raise QuothError(f"{file} is there already; give --yes to set another password in it.")
    new = Password.of(_asked())
    if file.exists():
        new = _with_tokens_of(file, new)
    new.write(file)
    click.echo(f"The password is set; serve with --password-file {file}.", err=True)


def _token(file: Path, name: str, *, replace: bool) -> None:
    there = Password.read(file)
    if name in there.tokens and not replace:
        raise QuothError(f"{file} has a token called {name}; give --yes to make it anew.")
    changed, token = there.with_token(name)
    changed.write(file)
    click.echo(token)


def _with_tokens_of(file: Path, new: Password) -> Password:
    """Return `new` with the tokens that `file` has; what is no password file has none."""
    try:
        return Password(new.hashed, Password.read(file).tokens)
    except PasswordError:
        return new


def _asked() -> str:
    if not sys.stdin.isatty():
        try:
            return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise PasswordError("The password on stdin is not UTF-8; nothing was set.") from None
    text = f"Password ({SHORTEST} characters or more)"
    asked: str = click.prompt(text, hide_input=True, confirmation_prompt="Once more", err=True)
    return asked
