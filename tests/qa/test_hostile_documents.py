"""Query syntax, paths and identifiers that attack are words, names and numbers, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from small import HOUSE, new_library, stored, write

from index import Library
from index.errors import DocumentNotFoundError, QuestionError, QuothError
from index.types import Filter
from qa import Chat, Retriever
from qa.export import export
from qa.web.app import create_app

ORIGIN = "http://127.0.0.1:7860"
QUERIES = {
    "a quote": "' OR '1'='1",
    "two statements": "x'; DROP TABLE documents; --",
    "a comment": "lift'/**/UNION/**/SELECT/**/text/**/FROM/**/documents--",
    "an attached file": "'; ATTACH DATABASE '/tmp/x.db' AS x; --",
    "a wildcard": "%' OR path LIKE '%",
    "a glob": "*[a-z]?*",
    "full text": "lift AND NOT (garden OR dogs) NEAR/2 beds",
    "fields": "terms:lift document:[0 TO 99999] *:*",
    "a range": "{* TO *} [a TO z] >=0",
    "a set": "document:IN [1 2 3]",
    "boosts": "lift^1000000 garden~9 'x'~2 +dogs -lift",
    "a regex": "/.*(a+)+$/",
    "open brackets": "((((((((((lift",
    "open marks": '"lift',
    "escapes": "\\\\\\ \\: \\( \\x00 \\u0000",
    "JSON": '{"match_all":{}}',
    "a null": "lift\x00garden",
    "a null alone": "\x00",
    "number": "1e309 -0 NaN 0x7f 99999999999999999999",
    "templates": "{0.__class__} %s %(x)s ${x} {{7*7}} #{x}",
    "a path": "../../../../etc/passwd",
    "another path": "\\\\evil.example\\share\\x C:\\boot.ini NUL CON LPT1",
    "an address": "file:///etc/passwd http://169.254.169.254/",
    "half a character": "lift \ud83d",
}
NAMES = (
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\boot.ini",
    "\\\\evil.example\\share\\x.txt",
    "C:\\Windows\\x.txt",
    "CON",
    "nul.txt",
    "aux.pdf",
    "a:stream.txt",
    "~/.ssh/authorized_keys",
    "$(touch x).txt",
    "`touch x`.txt",
    "-rf",
    "--help",
    ".quothignore",
    "store.db",
    "writer.lock",
    'x"; filename="evil.html',
    "x\r\nSet-Cookie: a=b",
    "x%0d%0aSet-Cookie: a=b",
    "\u202etxt.exe",
    "a" * 300,
    "名前" * 90,
    "x;y,z=1.txt",
    " . ",
    "=1+1.csv",
)


def is_one_sentence(error: QuothError) -> None:
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 3_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library that nothing here may change."""
    folder = tmp_path_factory.mktemp("syntax")
    with new_library(folder / "house.quoth", write(folder / "house", HOUSE)) as opened:
        before = stored(opened)
        yield opened
        assert stored(opened) == before


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_query_syntax_is_words(house: Library, query: str) -> None:
    """In questions, words to find, filters and names; nothing else is found than by the words."""
    try:
        for passage in Retriever(house).retrieve(query):
            assert passage.text in house.text(passage.document.id)
        Chat(house).ask(query)
    except QuestionError as error:
        is_one_sentence(error)
    try:
        found = house.find(query)
    except QuothError as error:
        is_one_sentence(error)
    else:
        letters = set(re.findall(r"[a-z]{3,}", query.casefold()))
        for hits in found.documents:
            for hit in hits.hits:
                assert letters & set(re.findall(r"[a-z]{3,}", hit.text.casefold())) or not letters
    for where in (Filter(folder=query), Filter(type=query), Filter(pattern=f"{query}.none")):
        assert house.documents(where) == []
        assert Retriever(house).retrieve("How often is the lift inspected?", where=where) == []
    for name in (query, f"~{query}", f"/{query}", query * 40):
        with pytest.raises(DocumentNotFoundError):
            house.named(name)
    with pytest.raises(DocumentNotFoundError):
        house.named("9" * 5_000)


def test_a_pattern_cannot_keep_the_filter_busy(house: Library) -> None:
    for pattern in (
        "*a" * 2_000,
        "[" * 5_000,
        "?*" * 2_000,
        "[!" + "a-z" * 1_000 + "0-9]*",
        "**/" * 999,
    ):
        assert house.documents(Filter(pattern=pattern)) == []


@settings(max_examples=60)
@given(st.text(st.characters(), min_size=1, max_size=60))
def test_no_words_make_finding_fail(house: Library, words: str) -> None:
    try:
        found = house.find(words)
    except QuothError as error:
        is_one_sentence(error)
    else:
        assert found.total == sum(len(each.hits) for each in found.documents)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_name_of_a_text_is_a_name(tmp_path: Path, name: str) -> None:
    """It becomes no path: nothing is written but the library, and it is found and removed by it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    with new_library(outside / "in" / "house.quoth") as library:
        before = sorted(path.name for path in outside.rglob("*"))
        try:
            info = library.add("The gnome is red.", name=name)
        except QuothError as error:
            is_one_sentence(error)
            return
        after = {path.name for path in outside.rglob("*")} - set(before)
        assert not any(part in each for each in after for part in ("passwd", "boot", "gnome"))
        assert info.path == name
        assert library.text(info.id) == "The gnome is red."
        assert [gone.id for gone in library.remove(name)] == [info.id]
        assert library.documents() == []


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A browser-like client over documents that are called as hostile files may be."""
    tmp_path = tmp_path_factory.mktemp("names")
    folder = tmp_path / "house"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        plain = name.replace("/", "⁄").replace("\0", "")
        if len(plain.encode()) < 250 and plain not in (".", ".."):
            (folder / f"{plain}.txt").write_text(f"Gnome {number} is red.", "utf-8")
    with new_library(tmp_path / "house.quoth", folder) as library:
        assert len(library.documents()) > 15
        with TestClient(create_app(library), base_url=ORIGIN) as opened:
            yield opened


def test_what_is_downloaded_has_a_harmless_name(client: TestClient) -> None:
    """No name ends its header, is a path, or reaches the browser as something else than a file."""
    listed = client.get("/api/documents?limit=200").json()["documents"]
    assert len(listed) > 15
    for document in listed:
        reply = client.get(f"/api/source/{document['ref']}/file")
        assert reply.status_code == 200
        assert "set-cookie" not in reply.headers or "a=b" not in reply.headers["set-cookie"]
        said = reply.headers["content-disposition"]
        plain = re.fullmatch(
            r"attachment; filename(?:=\"([^\"\r\n]+)\"|\*=utf-8''([^\s;,]+))", said
        )
        assert plain, said
        name = unquote(plain[1] or plain[2])
        assert not re.search(r"[\x00-\x1f/\u202a-\u202e]", name), name
        assert name.endswith(".txt")
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", [*NAMES, *(each for each in QUERIES.values() if each.isascii())], ids=ascii
)
def test_routes_take_no_path_or_syntax_for_a_document(client: TestClient, name: str) -> None:
    part = quote(name, safe="")
    for address in (
        f"/api/source/{part}/0-4",
        f"/api/source/{part}/file",
        f"/api/source/1-{part}/text",
        f"/api/page/{part}/1.png",
        f"/api/conversations/{part}",
        f"/api/conversations/{part}/export?format=html",
        f"/_quoth/{part}",
        f"/_quoth/..%2f..%2f{part}",
    ):
        reply = client.get(address)
        assert reply.status_code in (404, 405, 414, 422), (address, reply.status_code)
        assert "root:" not in reply.text
        assert reply.headers["content-type"].startswith(("application/problem+json", "text/plain"))


@pytest.mark.parametrize("title", [*NAMES, *QUERIES.values()], ids=ascii)
@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_an_export_has_a_plain_name(title: str, form: str) -> None:
    file = export(title, [], form)  # type: ignore[arg-type]
    assert re.fullmatch(r"quoth(-[a-z0-9]+)+\.(md|html|json)", file.name), file.name
    assert len(file.name) <= 72
