"""Where a library is: a folder, or the addresses of its store and its engine with a folder here.

    policies.quoth                                          a folder: SQLite, FAISS, Tantivy
    postgresql://user@host/database                         the store in PostgreSQL
    postgresql://user@host/database?schema=policies         in a schema of its name
    milvus+http://host:19530/policies?store=postgresql://…  vectors and words in Milvus too
    policies.db                                             Milvus Lite, with SQLite beside it

What cannot be elsewhere (uploads, conversations, the indexes that are derived) is in a folder on
this machine, the home of the library. It knows the addresses, without passwords, so it may be
given in place of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from index.errors import LibraryError, LibraryFormatError

__all__ = [
    "FILE",
    "SCHEMA",
    "Address",
    "Place",
    "address_of",
    "home_folder",
    "home_id",
    "is_remote",
    "without_password",
]

Place = Path | str  # of a library: a folder, or an address
FILE = "remote.json"  # in the home
SCHEMA = "quoth"
_POSTGRES = ("postgresql", "postgres")
_MILVUS = ("milvus+http", "milvus+https")
_STORE = "store="
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
# The user and the password; also where this has a @, ? or / that should have been written as %XX:
# no port follows such a colon.
_CREDENTIALS = re.compile(r"(?<=://)(?:[^/?@:]*:(?!\d*(?:[/?,]|$))[^=&]*@|[^?]*@)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the parts of a library are.

    Attributes:
        home: Folder on this machine; all of the library where the others are None.
        store: Address of the PostgreSQL database, None for SQLite in the home.
        schema: Its schema.
        engine: Address of the Milvus server or path of the Milvus Lite file, None for FAISS and
            Tantivy in the home.
        collection: Of Milvus.
    """

    home: Path
    store: str | None = None
    schema: str = SCHEMA
    engine: str | None = None
    collection: str = SCHEMA

    @property
    def remote(self) -> bool:
        """Whether more belongs to it than the folder."""
        return self.store is not None or self.engine is not None

    def __str__(self) -> str:
        if not self.remote:
            return str(self.home)
        store = None if self.store is None else without_password(self.store)
        if store is not None and self.schema != SCHEMA:
            store += f"{'&' if '?' in store else '?'}schema={self.schema}"
        if self.engine is None:
            return str(store)
        engine = without_password(self.engine)
        if "://" in engine:
            engine = f"milvus+{engine}/{self.collection}"
        return engine if store is None else f"{engine}?{_STORE}{store}"

    def recorded(self) -> dict[str, str | None]:
        """Return what the home remembers of it."""
        return {
            "store": None if self.store is None else without_password(self.store),
            "schema": self.schema,
            "engine": None if self.engine is None else _relative(self.engine),
            "collection": self.collection,
        }


def _relative(engine: str) -> str:
    """Return a file by its name, which lies beside the home: both may be moved together."""
    return without_password(engine) if "://" in engine else Path(engine).name


def is_remote(library: str | os.PathLike[str]) -> bool:
    """Return whether this is an address rather than the path of a folder."""
    text = str(library)
    scheme, mark, _ = text.partition("://")
    if mark and scheme in (*_POSTGRES, *_MILVUS):
        return True
    file = Path(_without_store(text)[0]).expanduser()
    # A folder may be called so, and these are what is in one.
    own = file.name in ("store.db", "chats.db")
    return file.suffix == ".db" and not own and not (file / "store.db").is_file()


def address_of(library: str | os.PathLike[str]) -> Address:
    """Return where the parts of a library are that is called so; nothing need be there.

    Raises:
        LibraryError: It is no address.
        LibraryFormatError: What the folder remembers cannot be read.
    """
    text = str(library)
    if not is_remote(text):
        home = Path(text).expanduser()
        return _recorded(home) if os.path.isfile(home / FILE) else Address(home)
    scheme = text.partition("://")[0]
    if scheme in _POSTGRES:
        return _at_home(Address(Path(), *_store_of(text)))
    engine, store_text = _without_store(text)
    store, schema = _store_of(store_text) if store_text is not None else (None, SCHEMA)
    if scheme in _MILVUS:
        engine, collection = _milvus_of(engine)
        return _at_home(Address(Path(), store, schema, engine, collection))
    file = Path(engine).expanduser().absolute()
    home = file.with_name(f"{file.name}.quoth")
    return Address(home, store, schema, str(file))


def _without_store(text: str) -> tuple[str, str | None]:
    before, mark, store = text.partition(f"?{_STORE}")
    return before, store if mark else None


def _store_of(text: str) -> tuple[str, str]:
    """Return a PostgreSQL address without the schema, and that."""
    if text.partition("://")[0] not in _POSTGRES:
        raise LibraryError(
            f"{without_password(text)} is no address of a store: give one that begins with "
            "postgresql://."
        )
    place, _, query = text.partition("?")
    schema, rest = SCHEMA, []
    for pair in filter(None, query.split("&")):
        if pair.startswith("schema="):
            schema = pair.partition("=")[2]
        else:
            rest.append(pair)
    if not _NAME.fullmatch(schema):
        raise LibraryError(
            f"{schema!r} cannot be the name of a schema: letters, digits and _, not a digit first."
        )
    return "?".join(filter(None, [place, "&".join(rest)])), schema


def _milvus_of(text: str) -> tuple[str, str]:
    try:
        parts = urlsplit(text.removeprefix("milvus+"))
    except ValueError:  # brackets that are no IPv6 address
        parts = urlsplit("")
    collection = parts.path.strip("/") or SCHEMA
    if parts.query or not parts.netloc or not _NAME.fullmatch(collection):
        raise LibraryError(
            f"{without_password(text)} is no address of a library in Milvus: give one such as "
            "milvus+http://host:19530/NAME?store=postgresql://host/database."
        )
    return f"{parts.scheme}://{parts.netloc}", collection


def without_password(address: str) -> str:
    """Return an address as it may be shown and written down."""
    return _CREDENTIALS.sub(lambda user: _user(user[0][:-1]), _hidden(address))


def _user(text: str) -> str:
    name = text.partition(":")[0]
    return f"{name}@" if name else ""


def _hidden(address: str) -> str:
    return re.sub(r"(?<=[?&])(?:(?:ssl)?password|token)=[^&]*&?", "", address).rstrip("?&")


def home_folder() -> Path:
    """Return where homes are: $QUOTH_HOME, else the user's folder for data."""
    if chosen := os.environ.get("QUOTH_HOME"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_dir

    return Path(user_data_dir("quoth", appauthor=False))


def _at_home(address: Address) -> Address:
    """Return the address with the home that it has on this machine."""
    named = str(address)
    words = re.sub(r"[^A-Za-z0-9]+", "-", re.sub(r"://[^/@]*@", "://", named)).strip("-")
    mark = hashlib.sha256(named.encode()).hexdigest()[:8]
    home = home_folder() / f"{words[:60]}-{mark}.quoth"
    return Address(home, address.store, address.schema, address.engine, address.collection)


def home_id(home: Path) -> str:
    """Return what tells this home from the others of its library; empty where it is the library."""
    try:
        return str(json.loads((home / FILE).read_bytes())["id"])
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return ""
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise LibraryFormatError(
            f"{home / FILE} cannot be read; give the address again."
        ) from error


def _recorded(home: Path) -> Address:
    try:
        found = json.loads((home / FILE).read_text("utf-8"))
        engine = found["engine"]
        if engine is not None and "://" not in engine:
            engine = str(home.absolute().parent / engine)
        return Address(home, found["store"], found["schema"], engine, found["collection"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise LibraryFormatError(
            f"{home / FILE} cannot be read, so it is not known where the library is; "
            "give its address."
        ) from error
