"""The application without Gradio, over a small library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from qa.web.app import create_app
from qa.web.guard import Limits
from qa.web.settings import PageSettings

if TYPE_CHECKING:
    from index import Library

ORIGIN = "http://127.0.0.1:7860"


@pytest.fixture
def client(library: Library) -> Iterator[TestClient]:
    """A browser-like client of the page at 127.0.0.1:7860."""
    settings = PageSettings(limits=Limits(body=10_000, upload=200_000))
    with TestClient(create_app(library, settings=settings), base_url=ORIGIN) as client:
        yield client
