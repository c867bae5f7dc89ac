"""The password file: a hash of the password that people type, and of tokens that programs send.

One line each, as `quoth password` writes them:

    password $argon2id$v=19$…
    token NAME HASH

The password is hashed with Argon2id (RFC 9106), which makes guessing slow. Tokens are 256 random
bits, where guessing is hopeless anyway, so SHA-256 will do and a request with one is cheap.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.errors import QuothError

__all__ = ["LONGEST", "SHORTEST", "Password", "PasswordError"]

SHORTEST = 10  # characters of a password
LONGEST = 1_000
_HEAD = "# Made by `quoth password`: hashes, neither the password nor a token."
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")


class PasswordError(QuothError):
    """The password or its file cannot be used."""


@dataclass(frozen=True, slots=True)
class Password:
    """What people and programs must know to ask.

    Attributes:
        hashed: The password, as Argon2 writes it.
        tokens: SHA-256 of each token by the token's name.
    """

    hashed: str = field(repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, password: str) -> Password:
        """Return what is kept of `password`.

        Raises:
            PasswordError: It is too short or too long.
        """
        if len(password.strip()) < SHORTEST:
            raise PasswordError(
                f"The password is too short: {SHORTEST} characters are the least, and a few "
                "words in a row are easy to remember."
            )
        if len(password) > LONGEST:
            raise PasswordError(f"The password is longer than {LONGEST:,} characters.")
        from argon2 import PasswordHasher

        return cls(PasswordHasher().hash(_encoded(password)))

    def matches(self, password: str) -> bool:
        """Return whether this is the password; takes a tenth of a second either way."""
        from argon2 import PasswordHasher
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            return PasswordHasher().verify(self.hashed, _encoded(password[:LONGEST]))
        except (Argon2Error, InvalidHashError):
            return False

    def with_token(self, name: str) -> tuple[Password, str]:
        """Return this with a new token called `name`, in place of an old one, and the token.

        Raises:
            PasswordError: The name has other characters than letters, digits and `._-`.
        """
        if not _NAME.fullmatch(name):
            raise PasswordError(
                f"{name!r} is no name for a token: letters, digits, dots and dashes make one."
            )
        token = secrets.token_urlsafe(32)
        return replace(self, tokens={**self.tokens, name: _digest(token)}), token

    def token_name(self, token: str) -> str | None:
        """Return what `token` is called, or None; all are compared, in constant time."""
        given = _digest(token)
        names = [n for n, known in self.tokens.items() if hmac.compare_digest(given, known)]
        return names[0] if names else None

    @classmethod
    def read(cls, file: Path) -> Password:
        """Return what `file` holds.

        Raises:
            PasswordError: It is not there, cannot be read, is not as `quoth password` makes it,
                or other users of the machine could change it.
        """
        again = f"`quoth password {file}` makes one."
        try:
            with file.open(encoding="utf-8") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                lines = stream.read(100_000).splitlines()
        except FileNotFoundError:
            raise PasswordError(f"There is no password file at {file}; {again}") from None
        except IsADirectoryError:
            raise PasswordError(f"{file} is a folder, not a password file; {again}") from None
        except UnicodeDecodeError:
            raise PasswordError(f"{file} is not a password file; {again}") from None
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise PasswordError(f"The password file {file} cannot be read: {reason}.") from None
        if mode & 0o022:
            raise PasswordError(
                f"Other users of this machine can change the password file {file}; "
                f"run `chmod 600 {file}`."
            )
        try:
            return cls._parse(lines)
        except ValueError as error:
            raise PasswordError(f"{file} is not a password file: {error}; {again}") from None

    @classmethod
    def _parse(cls, lines: list[str]) -> Password:
        from argon2 import extract_parameters
        from argon2.exceptions import InvalidHashError

        hashed, tokens = "", {}
        meant = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
        for line in meant:
            match line.split():
                case ["password", value] if not hashed:
                    hashed = value
                case ["token", name, value] if _NAME.fullmatch(name) and _HASH.fullmatch(value):
                    tokens[name] = value
                case _:
                    raise ValueError("it holds something that is not a hash")
        if not hashed:
            raise ValueError("it is empty" if not meant else "it holds no password")
        try:
            extract_parameters(hashed)
        except InvalidHashError:
            raise ValueError("what stands in it for the password is not a hash") from None
        return cls(hashed, tokens)

    def write(self, file: Path) -> None:
        """Write `file`, readable by its owner alone; what was there is replaced at once.

        Raises:
            PasswordError: It cannot be written.
        """
        lines = [_HEAD, f"password {self.hashed}"]
        lines += [f"token {name} {value}" for name, value in sorted(self.tokens.items())]
        beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write("\n".join(lines) + "\n")
                stream.flush()
                os.fsync(descriptor)
            os.replace(beside, file)
        except OSError as error:
            beside.unlink(missing_ok=True)
            reason = (error.strerror or "unknown error").lower()
            raise PasswordError(f"{file} cannot be written: {reason}.") from None

    @staticmethod
    def readable_by_all(file: Path) -> bool:
        """Return whether every user of the machine can read `file`."""
        return bool(file.stat().st_mode & 0o004)


def _encoded(password: str) -> bytes:
    # One password has one form, however a keyboard composes its accents.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
