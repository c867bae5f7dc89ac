"""The original of a document: never another file, whatever is put in its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from small import new_library, write

from qa.web.app import create_app
from qa.web.source_files import SourceFiles

if TYPE_CHECKING:
    from httpx2 import Response

    from index import Library

SECRET = "root:x:0:0:the secret of another file"
LIFT = "The lift is inspected every twelve months by an engineer from outside.\n"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that is no document."""
    return write(tmp_path / "elsewhere", {"passwd": SECRET}) / "passwd"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with one document."""
    return write(tmp_path / "documents", {"inner/lift.txt": LIFT})


@pytest.fixture
def opened(tmp_path: Path, house: Path) -> Iterator[Library]:
    """A library of it."""
    with new_library(tmp_path / "documents.quoth", house) as library:
        yield library


def fetch(library: Library) -> Response:
    (info,) = library.documents()
    with TestClient(create_app(library), base_url="http://127.0.0.1:7860") as client:
        reply = client.get(f"/api/source/{info.id}-{info.text_hash[:12]}/file")
        shown = client.get(f"/api/source/{info.id}-{info.text_hash[:12]}").json()
    assert SECRET not in reply.text
    assert shown["original"] == (reply.status_code == 200)
    return reply


def by_link(file: Path, secret: Path) -> None:
    file.unlink()
    file.symlink_to(secret)


def by_link_to_the_same(file: Path, secret: Path) -> None:
    """What the link leads to can be exchanged afterwards without touching the link."""
    secret.write_text(LIFT)
    by_link(file, secret)


def by_folder(file: Path, secret: Path) -> None:
    file.unlink()
    file.parent.rmdir()
    write(secret.parent, {file.name: SECRET})
    file.parent.symlink_to(secret.parent)


def by_another_file(file: Path, secret: Path) -> None:
    file.unlink()
    os.link(secret, file)


def by_the_same_size_and_time(file: Path, secret: Path) -> None:
    stat = file.stat()
    file.write_text(SECRET.ljust(len(LIFT))[: len(LIFT)])
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def by_a_pipe(file: Path, secret: Path) -> None:
    file.unlink()
    os.mkfifo(file)  # whoever opens it waits for somebody who writes


def by_a_folder(file: Path, secret: Path) -> None:
    file.unlink()
    file.mkdir()


def by_nothing(file: Path, secret: Path) -> None:
    file.unlink()


def test_the_original_is_sent_while_it_is_what_was_indexed(opened: Library) -> None:
    reply = fetch(opened)
    assert (reply.status_code, reply.text) == (200, LIFT)


@pytest.mark.parametrize(
    "replaced",
    [
        by_link, by_link_to_the_same, by_folder, by_another_file, by_the_same_size_and_time,
        by_a_pipe, by_a_folder, by_nothing,
    ],
)  # fmt: skip
@pytest.mark.parametrize("seen_before", [True, False])
def test_what_was_put_in_its_place_is_not_sent(
    opened: Library,
    house: Path,
    secret: Path,
    replaced: Callable[[Path, Path], None],
    seen_before: bool,
) -> None:
    if seen_before:
        assert fetch(opened).status_code == 200
    replaced(house / "inner/lift.txt", secret)
    reply = fetch(opened)
    assert reply.status_code == 404


def test_the_file_that_was_compared_is_the_one_that_is_read(
    opened: Library, house: Path, secret: Path
) -> None:
    """Between the two somebody exchanges it: what is read was opened before."""
    (info,) = opened.documents()
    file = SourceFiles(opened).open(info)
    assert file is not None
    by_link(house / "inner/lift.txt", secret)
    with file:
        assert file.read() == LIFT.encode()


def test_a_file_is_closed_when_it_was_sent_in_parts_or_not_at_all(opened: Library) -> None:
    (info,) = opened.documents()
    path = f"/api/source/{info.id}-{info.text_hash[:12]}/file"
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("only Linux lists what a process has open")
    with TestClient(create_app(opened), base_url="http://127.0.0.1:7860") as client:
        client.get(path)
        before = len(list(descriptors.iterdir()))
        for number in range(20):
            assert client.get(path, headers={"range": f"bytes={number}-30"}).status_code == 206
            assert client.get(path, headers={"range": "bytes=99-1"}).status_code in (400, 416)
            assert client.get(path).status_code == 200
        assert len(list(descriptors.iterdir())) <= before + 2


@pytest.mark.parametrize(
    "name",
    [
        'a"; filename=evil.html; x=".txt',
        "a\r\nSet-Cookie: x=y.txt",
        "a%0d%0ax.txt",
        "ä\u202etxt.md",
    ],
)
def test_a_hostile_name_adds_nothing_to_the_reply(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "odd", {name: LIFT})
    with new_library(tmp_path / "odd.quoth", folder) as library:
        reply = fetch(library)
    disposition = reply.headers["content-disposition"]
    assert disposition.startswith("attachment;")
    assert "set-cookie" not in reply.headers
    assert not any(char in disposition for char in "\r\n\u202e")
    assert disposition.count(";") == 1
    assert disposition.count('"') in (0, 2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", "<html><body><p>The ferry.</p><script>alert(1)</script></body></html>"),
        ("picture.md", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>\n\nThe ferry."),
    ],
)
def test_a_document_is_never_a_page_of_ours(tmp_path: Path, name: str, content: str) -> None:
    folder = write(tmp_path / "pages", {name: content})
    with new_library(tmp_path / "pages.quoth", folder) as library:
        reply = fetch(library)
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"].startswith("attachment;")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in reply.headers["content-security-policy"]
