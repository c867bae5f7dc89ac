"""Bodies that are made to be hard: deep, many, long, cut off, of another kind; and ranges."""

from __future__ import annotations

import gc
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from qa.web.app import create_app
from qa.web.settings import STATIC

if TYPE_CHECKING:
    from index import Library

JSON = {"content-type": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=b"}
DEEP = 100_000


@pytest.fixture(scope="module")
def forms() -> dict[str, bytes]:
    """Uploads that are no files."""
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nx\r\n'
    return {
        "not closed": part,
        "no boundary": b"x" * 5_000,
        "no name": b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        "a field instead": b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nx\r\n--b--',
        "too many files": part * 2_001 + b"--b--\r\n",
        "a long header": b"--b\r\nX: " + b"a" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n",
        "many headers": b"--b\r\n" + b"X: a\r\n" * 10_000 + b"\r\nx\r\n--b--\r\n",
        "a part in a part": b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" * 500,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"question":' * DEEP,
        b'{"question": ' + b"9" * 500_000 + b"}",
        b'{"question": 1e999999999}',
        b'{"question": NaN}',
        b'{"question": "\\ud800"',
        b"\xff\xfe{\x00",
        b"\x00" * 1_000,
        b"",
        b"null",
        b'{"question": "x", "question": ["y"]}',
        b'{"question": "x", "where": {"documents": [' + b"1," * 100_000 + b"1]}}" * 2,
        json.dumps({"question": "x", "__proto__": {"a": 1}}).encode(),
    ],
    ids=range(14),
)
@pytest.mark.parametrize("path", ["/api/ask", "/api/find", "/api/sync", "/api/documents/remove"])
def test_json_that_is_made_to_be_hard_is_refused_with_a_sentence(
    library: Library, path: str, body: bytes
) -> None:
    client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
    reply = client.post(path, content=body, headers=JSON)
    assert reply.status_code in (400, 413, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    assert len(reply.content) < 5_000
    assert reply.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    "how",
    [
        "not closed", "no boundary", "no name", "a field instead", "too many files",
        "a long header", "many headers", "a part in a part",
    ],
)  # fmt: skip
def test_forms_that_are_made_to_be_hard_are_refused_and_leave_nothing(
    client: TestClient, library: Library, forms: dict[str, bytes], how: str
) -> None:
    before = sorted(library.uploads.rglob("*"))
    with warnings.catch_warnings():
        # The temporary file of a part without an end is closed when it is forgotten.
        warnings.simplefilter("ignore", ResourceWarning)
        reply = client.post("/api/documents", content=forms[how], headers=FORM)
        gc.collect()
    assert reply.status_code in (400, 413, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    assert len(reply.content) < 5_000
    assert sorted(library.uploads.rglob("*")) == before


def test_many_ranges_of_a_file_are_answered_with_the_file(client: TestClient) -> None:
    """As one reply, not as a thousand parts."""
    path = f"{STATIC}/page.js"
    whole = client.get(path).content
    for ranges in (
        ",".join(["0-"] * 1_000),
        ",".join(f"{n}-{n}" for n in range(0, 2_000, 2)),
        "0-0,1-1,2-2,3-3,-1",
    ):
        reply = client.get(path, headers={"range": f"bytes={ranges}"})
        assert (reply.status_code, reply.content) == (200, whole)
    one = client.get(path, headers={"range": "bytes=2-5"})
    assert (one.status_code, one.content) == (206, whole[2:6])


@pytest.mark.parametrize(
    "value",
    [
        "bytes=99999999999999999999-", "bytes=5-1", "bytes=-", "bytes=a-b", "lines=0-1", "bytes=",
        "bytes=-99999999999999999999", "bytes=0-99999999999999999999", "bytes=0-1,0-1,0-1,0-1",
    ],
)  # fmt: skip
def test_ranges_that_make_no_sense_do_no_harm(client: TestClient, value: str) -> None:
    path = f"{STATIC}/page.js"
    whole = client.get(path).content
    reply = client.get(path, headers={"range": value})
    assert reply.status_code in (200, 206, 400, 416)
    assert len(reply.content) <= len(whole) + 1_000


@pytest.mark.parametrize("number", [".", "..", "../x", "/etc/passwd", "a/../../b"])
def test_the_name_of_a_file_that_is_sent_stays_in_the_folder_of_uploads(
    client: TestClient, library: Library, number: str, tmp_path: Path
) -> None:
    around = sorted(path for path in tmp_path.rglob("*") if library.path not in path.parents)
    client.post("/api/documents?batch=abcdefgh", files={"files": (number, b"The ferry sails.")})
    after = sorted(path for path in tmp_path.rglob("*") if library.path not in path.parents)
    assert after == around
    for path in library.uploads.rglob("*"):
        assert path.resolve().is_relative_to(library.uploads.resolve())


def test_a_disk_without_room_for_what_is_sent_is_told(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large files wait in the folder for temporary ones, which is not there."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
    files = {"files": ("long.txt", b"A word. " * 200_000)}
    reply = client.post("/api/documents", files=files)
    assert reply.status_code == 500
    assert reply.json()["detail"] == (
        "What was sent cannot be kept (no such file or directory); make room on the server and "
        "send it again."
    )
    assert not any(path.is_file() for path in library.uploads.rglob("*"))
