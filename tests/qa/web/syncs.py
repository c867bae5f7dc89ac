"""What the tests of the documents share: waiting until a sync of the page has ended."""

from __future__ import annotations

import time
from typing import Any

from fastapi.testclient import TestClient

__all__ = ["names", "synced"]


def synced(client: TestClient) -> Any:  # noqa: ANN401 - JSON
    """Return where bringing up to date stands once nothing runs."""
    for _ in range(600):
        state = client.get("/api/sync").json()
        if not state["running"]:
            return state
        time.sleep(0.05)
    raise AssertionError("the sync does not end")


def names(client: TestClient) -> list[str]:
    """Return the names of the documents in order of path."""
    return [one["name"] for one in client.get("/api/documents").json()["documents"]]
