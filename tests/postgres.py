"""A real PostgreSQL server for tests; they are skipped where it is not installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bench.started import NotInstalledError, postgres
from bench.started import PostgresServer as Server

__all__ = ["Server", "again", "server"]


@contextmanager
def server(**settings: str) -> Iterator[Server]:
    """Start a server and stop it in the end."""
    with ExitStack() as stack:
        try:
            started = stack.enter_context(postgres(**settings))
        except NotInstalledError as error:
            if os.environ.get("QUOTH_REQUIRE_POSTGRES"):
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield started


def again(ended: Server) -> Server:
    """Start a server again that was ended."""
    ended.start()
    return ended
