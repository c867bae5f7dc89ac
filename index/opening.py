"""The parts of a library, opened: its home on this machine, its store, its engine."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from typing import NamedTuple

from index.address import FILE, Address
from index.catalogue import UPLOADS
from index.engines.engine import Engine
from index.engines.home import HomeEngine
from index.engines.local import LocalEngine
from index.errors import LibraryFormatError, LibraryNotFoundError
from index.files import private_folder, replace_private
from index.store import FILE as STORE
from index.store import Store, get_meta, set_meta, vacant

__all__ = ["Parts", "open_parts"]

logger = logging.getLogger(f"quoth.{__name__}")


class Parts(NamedTuple):
    """What a library consists of."""

    address: Address
    store: Store
    engine: Engine


def open_parts(address: Address, *, create: bool, read_only: bool) -> Parts:
    """Open the parts of the library at `address`, making what is missing if `create` is true.

    Raises:
        LibraryNotFoundError: There is nothing and `create` is false.
        LibraryFormatError: Something else is there, or a library of a newer version.
        LibraryUnreachableError: A server does not answer.
        MissingExtraError: A package is missing that such a library needs.
    """
    if not address.remote:
        store = _local(address, create=create, read_only=read_only)
        return Parts(address, store, LocalEngine(address.home.resolve(), store))
    if (address.home / STORE).is_file() and not (address.home / FILE).is_file():
        raise LibraryFormatError(
            f"{address.home} is a library of its own; move it away, or copy it with `quoth copy`."
        )
    if address.store is None:
        if not (create and not read_only) and not (address.home / STORE).is_file():
            raise LibraryNotFoundError(
                f"There is no library at {address}; check the address, or make one with "
                "`quoth sync`."
            )
        if create and not read_only:
            _remember(address)
        store = _local(address, create=create, read_only=read_only)
        _name(store)
    else:
        from index.postgres_store import PostgresStore

        store = PostgresStore.open_at(address, create=create, read_only=read_only)
    try:
        _remember(address)
        return Parts(address, store, _engine(address, store))
    except BaseException:
        store.close()
        raise


def _local(address: Address, *, create: bool, read_only: bool) -> Store:
    if create and not read_only and vacant(address.home):
        return Store.create(address.home)
    return Store.open(address.home, read_only=read_only)


def _name(store: Store) -> None:
    """Give a library in SQLite what tells it from others; one in PostgreSQL has it."""
    with store.reading() as db:
        named = get_meta(db, "library") is not None
    if not named and not store.read_only:
        with store.writing() as db:
            set_meta(db, "library", {"id": secrets.token_hex(8)})


def _remember(address: Address) -> None:
    """Write into the home where the library is."""
    private_folder(address.home)
    file = address.home / FILE
    recorded = address.recorded()
    before: dict[str, str | None] = {}
    if os.path.exists(file):
        with contextlib.suppress(ValueError):  # half a file: it is written anew
            found = json.loads(file.read_bytes())
            before = found if isinstance(found, dict) else {}
    same = all(before.get(part) == recorded[part] for part in ("store", "schema"))
    if before and not same:
        raise LibraryFormatError(
            f"{address.home} belongs to another library; move it away, or give this one another "
            "name."
        )
    if not before.get("id") and (address.home / UPLOADS).is_dir():
        logger.warning("%s was damaged: documents uploaded here have no file any more", file)
    now = {**recorded, "id": before.get("id") or secrets.token_hex(8)}
    if now != before:
        replace_private(file, json.dumps(now, indent=2).encode())


def _engine(address: Address, store: Store) -> Engine:
    home = address.home.resolve()
    if address.engine is None:
        return HomeEngine(home, store)
    from index.engines.milvus import MilvusEngine

    return MilvusEngine(home, store, address.engine, address.collection)
