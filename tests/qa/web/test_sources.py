"""A citation opened: what stands there, or a sentence that says why it cannot be shown."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from small import new_library, write

from index.types import Citation
from qa.web.app import create_app

if TYPE_CHECKING:
    from index import Library


def cite(library: Library, path: str, words: str) -> Citation:
    """Return the citation of `words` in the document at `path`."""
    info = next(info for info in library.documents() if info.path == path)
    start = library.text(info.id).index(words)
    return Citation(info.id, info.path, info.title, start, start + len(words), info.text_hash)


def opened(client: TestClient, ref: str, status: int = 200) -> Any:  # noqa: ANN401 - JSON
    reply = client.get(f"/api/source/{ref}")
    assert reply.status_code == status, reply.text
    return reply.json()


def marked(source: Any, citation: Citation) -> list[str]:  # noqa: ANN401 - JSON
    """Return what the page marks in each block: the quote's part of the visible text."""

    def at(piece: Any, offset: int) -> int:  # noqa: ANN401 - JSON
        shifts = [shift for shift in piece["shifts"] if shift[0] <= offset]
        origin, index = shifts[-1] if shifts else (piece["start"], 0)
        return int(index + offset - origin)

    found = []
    for block in source["stretch"]["blocks"]:
        for piece in block["pieces"]:
            first, last = max(piece["start"], citation.start), min(piece["end"], citation.end)
            if first < last:
                units = piece["text"].encode("utf-16-le")
                found.append(units[2 * at(piece, first) : 2 * at(piece, last)].decode("utf-16-le"))
    return found


def test_a_citation_shows_the_quote_in_its_document(client: TestClient, library: Library) -> None:
    words = "Dogs are kept on a lead in the garden."
    citation = cite(library, "garden.md", words)
    source = opened(client, citation.ref)
    assert source["quote"] == words
    assert source["title"] == "Garden rules"
    assert source["where"] == "garden.md · Garden rules"
    assert (source["status"], source["note"], source["print"]) == ("verbatim", "", None)
    assert source["original"] is True
    assert [b["kind"] for b in source["stretch"]["blocks"]] == [
        "heading", "paragraph", "heading", "item", "item",
    ]  # fmt: skip
    assert marked(source, citation) == [words]
    assert source["before"].strip() == "Garden rules"
    assert source["after"].strip().startswith("Watering")


def test_a_document_opens_without_a_quote(client: TestClient, library: Library) -> None:
    document = cite(library, "garden.md", "Dogs").ref.split("/")[0]
    source = opened(client, document)
    assert (source["quote"], source["where"], source["ref"]) == ("", "garden.md", document)
    assert source["stretch"]["start"] == 0
    assert source["stretch"]["end"] == source["characters"]


def test_a_preview_has_the_sentences_beside_the_quote(tmp_path: Path) -> None:
    story = (
        "# Ferry\n\nIt sails daily. The fare is 4 pounds.\nDogs are free! Cats too.\n\n"
        "## Fog\n\nNone."
    )
    folder = write(tmp_path / "ferry", {"ferry.md": story})
    with new_library(tmp_path / "ferry.quoth", folder) as library:
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")

        def preview(words: str) -> Any:  # noqa: ANN401 - JSON
            return opened(client, f"{cite(library, 'ferry.md', words).ref}/preview")

        assert preview("The fare is 4 pounds.") == {
            "title": "Ferry",
            "where": "ferry.md · Ferry",
            "before": "It sails daily.",
            "quote": "The fare is 4 pounds.",
            "after": "Dogs are free!",
        }
        # Neither a heading nor what another section says is a neighbour.
        assert (preview("It sails daily.")["before"], preview("Cats too.")["after"]) == ("", "")
        assert preview("None.")["before"] == ""


def test_a_file_changed_since_is_told_and_the_indexed_text_shown(
    client: TestClient, library: Library, folder: Path
) -> None:
    citation = cite(library, "lift.txt", "The lift is inspected")
    (folder / "lift.txt").write_text("Something else.")
    source = opened(client, citation.ref)
    assert (source["status"], source["quote"]) == ("changed", "The lift is inspected")
    assert source["note"].startswith("lift.txt has changed since it was indexed.")
    assert source["original"] is False


def test_a_changed_file_is_said_to_have_been_replaced(
    client: TestClient, library: Library, folder: Path
) -> None:
    kept = cite(library, "lift.txt", "The caretaker keeps the inspection book")
    lost = cite(library, "lift.txt", "The lift is inspected every twelve months")
    text = (folder / "lift.txt").read_text().replace("twelve months", "six months")
    write(folder, {"lift.txt": text})
    library.sync(folder, full=True)
    source = opened(client, kept.ref)
    assert source["status"] == "replaced"
    assert source["quote"] == "The caretaker keeps the inspection book"
    assert source["note"].endswith("The quoted words still stand in the present one.")
    assert source["original"] is False
    assert opened(client, lost.ref)["note"].endswith(
        "The quoted words no longer stand in the present one."
    )
    assert opened(client, lost.ref.split("/")[0])["note"].endswith("this is the earlier text.")


def test_the_same_text_elsewhere_is_shown_from_there(
    client: TestClient, library: Library, folder: Path
) -> None:
    citation = cite(library, "lift.txt", "The lift is inspected")
    shutil.copy(folder / "lift.txt", folder / "copy.txt")
    library.sync(folder)
    (folder / "lift.txt").unlink()
    library.sync(folder)
    source = opened(client, citation.ref)
    assert (source["path"], source["quote"]) == ("copy.txt", "The lift is inspected")
    assert source["status"] in ("moved", "verbatim")  # a rename keeps the number
    assert source["original"] is True


def test_a_missing_file_is_told_and_the_kept_text_shown(
    client: TestClient, library: Library, folder: Path
) -> None:
    citation = cite(library, "lift.txt", "The lift is inspected")
    (folder / "lift.txt").unlink()
    source = opened(client, citation.ref)
    assert (source["status"], source["quote"]) == ("gone", "The lift is inspected")
    assert source["note"].startswith("lift.txt is no longer where it was")


def test_a_removed_document_is_not_shown(client: TestClient, library: Library) -> None:
    citation = cite(library, "lift.txt", "The lift is inspected")
    library.remove(citation.document)
    for address in (citation.ref, f"{citation.ref}/preview", citation.ref.split("/")[0]):
        assert opened(client, address, 404)["detail"] == "lift.txt was removed from the library."


def test_a_text_that_is_no_longer_what_was_indexed_is_not_called_verbatim(
    client: TestClient, library: Library
) -> None:
    citation = cite(library, "lift.txt", "The lift is inspected")
    forged = library.content(cite(library, "garden.md", "Dogs").document)
    from index.content import encode_content

    with sqlite3.connect(library.path / "store.db") as db:
        db.execute(
            "UPDATE documents SET content = ? WHERE id = ?",
            (encode_content(forged), citation.document),
        )
    db.close()
    library._contents.__init__()  # type: ignore[misc]  # as after a restart
    assert "is damaged" in opened(client, citation.ref, 500)["detail"]


@pytest.mark.parametrize(
    "ref",
    [
        "1-000000000000/0-4",  # another text's hash
        "999-{hash}x/0-4",
        "{id}-{hash}/4-4",
        "{id}-{hash}/9-4",
        "{id}-{hash}/0-99999999",
        "{id}-{hash}/-1-4",
        "{id}-{HASH}/0-4",
        "{id}-{hash}/0-9999999999999999999999",
        "{id}-{hash}/%D9%A0-%D9%A4",  # digits, but not ASCII
        "..%2f..%2fetc/passwd",
    ],
)
def test_a_forged_reference_shows_nothing(client: TestClient, library: Library, ref: str) -> None:
    info = library.documents()[-1]
    short = info.text_hash[:12]
    address = "/api/source/" + ref.format(id=info.id, hash=short, HASH=short.upper())
    for end in ("", "/preview"):
        reply = client.get(address + end)
        assert reply.status_code == 404
        assert "quote" not in reply.json()


@pytest.mark.parametrize("route", ["text", "outline", "search?q=lift", "page/1", "file"])
def test_no_route_opens_another_text_than_the_one_named(
    client: TestClient, library: Library, route: str
) -> None:
    info = library.documents()[0]
    reply = client.get(f"/api/source/{info.id}-000000000000/{route}")
    assert reply.status_code == 404
    assert reply.json()["detail"] == "This link is not a citation of the document it names."


def test_bidi_controls_and_emoji_are_marked_at_their_place(tmp_path: Path) -> None:
    text = "The \U0001f600 sign. Pay 5\u202e00 euros \U0001f600 today, not tomorrow."
    with new_library(tmp_path / "odd.quoth") as library:
        library.add(text, name="odd")
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
        citation = cite(library, "odd", "Pay 5\u202e00 euros \U0001f600 today")
        source = opened(client, citation.ref)
    assert source["quote"] == "Pay 5\u202e00 euros \U0001f600 today"
    assert marked(source, citation) == ["Pay 5‹U+202E›00 euros \U0001f600 today"]
    assert (source["status"], source["original"]) == ("verbatim", False)


def test_the_original_is_a_download_and_never_a_page_of_ours(tmp_path: Path) -> None:
    page = "<html><body><p>The ferry sails at nine.</p><script>alert(1)</script></body></html>"
    folder = write(tmp_path / "ferry", {"a\u202efdp.html": page})
    with new_library(tmp_path / "ferry.quoth", folder) as library:
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
        (info,) = library.documents()
        address = f"/api/source/{info.id}-{info.text_hash[:12]}/file"
        reply = client.get(address)
        assert reply.content == page.encode()
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["content-disposition"].startswith("attachment;")
        assert "%E2%80%AE" not in reply.headers["content-disposition"]
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert info.file is not None
        info.file.write_text("<p>Another one.</p>")
        assert client.get(address).status_code == 404
