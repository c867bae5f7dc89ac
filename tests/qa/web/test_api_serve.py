"""`quoth serve`: the API alone, from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from serving_apart import serving_apart
from small import HOUSE, write

from index import Library

if TYPE_CHECKING:
    from index.types import Encoder

ROOT = Path(__file__).parents[3]
LIFT = "How often is the lift inspected?"


@pytest.fixture
def address(tmp_path: Path, encoder: Encoder) -> Iterator[str]:
    """A server of the HOUSE that may only be read."""
    folder = write(tmp_path / "house", HOUSE)
    with Library.open(tmp_path / "house.quoth", create=True, encoder=encoder) as library:
        library.sync(folder)
    with serving_apart(tmp_path / "house.quoth", "--read-only") as address:
        yield address


def ask(address: str, path: str, body: dict[str, Any] | None = None, method: str = "") -> Any:  # noqa: ANN401
    data = None if body is None else json.dumps(body).encode()
    request = Request(
        f"{address}{path}", data, {"content-type": "application/json"}, method=method or None
    )
    with urlopen(request, timeout=60) as reply:
        return reply.read().decode()


def test_it_answers_without_the_page(address: str) -> None:
    answer = json.loads(ask(address, "/api/v1/ask", {"question": LIFT}))
    assert answer["quotes"][0]["text"].startswith("The lift is inspected every twelve months")
    assert json.loads(ask(address, "/api/health"))["documents"] == len(HOUSE)
    # Who opens the address in a browser sees what there is.
    assert "Quoth API" in ask(address, "/")
    for path, method, status in [("/config", "", 404), ("/api/documents/1", "DELETE", 403)]:
        with pytest.raises(HTTPError) as refused:
            ask(address, path, method=method)
        assert refused.value.code == status
        assert json.loads(refused.value.read())["status"] == status
        refused.value.close()


def test_neither_gradio_nor_what_embeds_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from index import Library\n"
        "from qa.cli_serve import _build\n"
        "from qa.web.settings import PageSettings\n"
        "with Library.open(sys.argv[1], create=True) as library:\n"
        "    _build(library, PageSettings())\n"
        "print(*[name for name in ('gradio', 'torch', 'nltk') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "empty.quoth")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
