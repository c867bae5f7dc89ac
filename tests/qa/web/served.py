"""The application behind a real server, in a thread, for tests that need real connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["served"]


@contextmanager
def served(app: FastAPI, **options: Any) -> Iterator[str]:  # noqa: ANN401
    """Serve `app` on a free port of this machine and give its address; options are uvicorn's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        options = {"log_level": "critical", "timeout_graceful_shutdown": 1, **options}
        config = uvicorn.Config(app, **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                thread.join(0.02)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
