"""What must be so in the end: what is listed, what was quoted, what the doctor and the logs say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bench.loading.process import Server
from bench.loading.scene import faults
from bench.loading.visitor import Visitor
from bench.sharing.shared import API, Doors, Shared
from bench.sharing.slots import Slot

__all__ = ["check_doctor", "check_left", "check_lists", "check_quotes"]

_SAME = "in the end every server lists the same documents"
_DUE = "in the end what was acknowledged is listed, and nothing else"
_QUOTES = "every quote is what the library has stored at its place"
_DOCTOR = "quoth doctor finds nothing wrong from any home"
_NO_TEMPORARY = "no temporary file is left"
_QUIET = "no server logs an error"


async def check_lists(shared: Shared, slots: Sequence[Slot]) -> None:
    """Compare what the servers list with each other and with what was acknowledged."""
    doors = Doors(shared, "the last one")
    lists = [await _listed(visitor) for visitor in doors.visitors]
    await doors.close()
    first, *others = lists
    shared.tally.check(
        _SAME, all(other == first for other in others), [len(each) for each in lists]
    )
    names = {name for _, name in first}
    for slot in slots:
        if slot.sure:
            holds = (slot.file in names) == bool(slot.maybe)
            shared.tally.check(_DUE, holds, f"{slot}, listed: {slot.file in names}")


async def _listed(visitor: Visitor) -> set[tuple[int, str]]:
    reply = await visitor.send("list documents", "GET", f"{API}/documents")
    if reply.status_code != 200:
        return set()
    return {(each["id"], each["name"]) for each in reply.json()["documents"]}


def check_quotes(shared: Shared, at: Server) -> None:
    """Compare every quote that anyone got with the text stored, read without a server."""
    from index import Library
    from index.address import address_of
    from index.errors import QuothError

    address = address_of(at.place)
    if address.remote:
        address = replace(address, home=at.folder / "reader.quoth")
    with Library.open(address, read_only=True) as library:
        for (document, start, end), said in shared.quoted.items():
            try:
                stored = library.text(document)[start:end]
            except QuothError as error:
                stored = str(error)
            shared.tally.check(_QUOTES, said == stored, f"{document}: {said!r}, not {stored!r}")


async def check_doctor(shared: Shared) -> None:
    """Let the doctor look at the library from the home of each server."""
    for server, ran in zip(
        shared.servers,
        await asyncio.gather(*(server.run("doctor", "--json") for server in shared.servers)),
        strict=True,
    ):
        found: dict[str, Any] = json.loads(ran.printed) if ran.status in (0, 1) else {}
        clean = ran.status == 0 and not ran.said and found["ok"]
        evidence = f"{server.name}: {ran.status}, {found.get('findings')} {ran.said}"
        shared.tally.check(_DOCTOR, clean, evidence)


def check_left(shared: Shared) -> None:
    """Look at the logs and for temporary files, once the servers have ended."""
    for server in shared.servers:
        uploads = server.inside / "uploads"
        folders = (server.temporary, uploads / ".incoming", uploads / ".accepted")
        left = [str(path) for folder in folders for path in folder.rglob("*") if path.is_file()]
        shared.tally.check(_NO_TEMPORARY, not left, left)
        said = server.log.read_text(encoding="utf-8", errors="replace")
        found = faults(said)
        evidence = f"{server.name}: {found[:5]} in {server.tail()}"
        shared.tally.check(_QUIET, not found and "Traceback" not in said, evidence)
