"""A citation opened: what stands there, or a sentence that says why it cannot be shown."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from small import new_library, write

from index.types import Citation
from qa.web.app import create_app

if TYPE_CHECKING:
    from index import Library

PDF = Path(__file__).parents[3] / "examples/documents/building/lift-maintenance-policy.pdf"


def cite(library: Library, path: str, words: str) -> Citation:
    """Return the citation of `words` in the document at `path`."""
    info = next(info for info in library.documents() if info.path == path)
    start = library.text(info.id).index(words)
    return Citation(info.id, info.path, info.title, start, start + len(words), info.text_hash)


def opened(client: TestClient, ref: str, status: int = 200) -> Any:  # noqa: ANN401 - JSON
    reply = client.get(f"/api/source/{ref}")
    assert reply.status_code == status, reply.text
    return reply.json()


def test_a_citation_shows_the_quote_in_its_document(client: TestClient, library: Library) -> None:
    words = "Dogs are kept on a lead in the garden."
    source = opened(client, cite(library, "garden.md", words).ref)
    assert source["quote"] == words
    assert source["title"] == "Garden rules"
    assert source["where"] == "garden.md · Garden rules"
    assert (source["status"], source["note"], source["page"]) == ("current", "", None)
    assert [b["kind"] for b in source["blocks"]] == [
        "heading", "paragraph", "heading", "item", "item",
    ]  # fmt: skip
    assert [b["marked"] for b in source["blocks"]] == ["", words, "", "", ""]
    assert source["before"].strip() == "Garden rules"
    assert source["after"].strip().startswith("Watering")


def test_blocks_hold_the_whole_text(client: TestClient, library: Library) -> None:
    """Nothing is lost where the quote cuts a block in the middle."""
    citation = cite(library, "garden.md", "kept on")
    source = opened(client, citation.ref)
    shown = [b["before"] + b["marked"] + b["after"] for b in source["blocks"]]
    assert "".join("".join(shown).split()) == "".join(library.text(citation.document).split())
    assert source["blocks"][1]["before"] == "Dogs are "


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
    assert opened(client, lost.ref)["note"].endswith(
        "The quoted words no longer stand in the present one."
    )


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
    assert source["status"] in ("moved", "current")  # a rename keeps the number


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
    assert opened(client, citation.ref, 404)["detail"] == "lift.txt was removed from the library."


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
    reply = client.get("/api/source/" + ref.format(id=info.id, hash=short, HASH=short.upper()))
    assert reply.status_code == 404
    assert "quote" not in reply.json()


def test_bidi_controls_and_lone_surrogates_are_shown_as_signs(tmp_path: Path) -> None:
    with new_library(tmp_path / "odd.quoth") as library:
        library.add("Pay 5\u202e00 euros today, not tomorrow.", name="odd")
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
        source = opened(client, cite(library, "odd", "Pay 5\u202e00 euros").ref)
    assert source["quote"] == "Pay 5\u202e00 euros"
    assert source["blocks"][0]["marked"] == "Pay 5‹U+202E›00 euros"


def test_a_long_document_is_cut_around_the_quote(tmp_path: Path) -> None:
    lines = "\n\n".join(f"Paragraph number {n} of a long document." for n in range(5_000))
    with new_library(tmp_path / "long.quoth") as library:
        library.add(lines, name="long")
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
        source = opened(client, cite(library, "long", "Paragraph number 2500 of").ref)
    assert (source["cut_before"], source["cut_after"]) == (True, True)
    assert len(source["blocks"]) < 2_000
    assert [b["marked"] for b in source["blocks"] if b["marked"]] == ["Paragraph number 2500 of"]


POLICY_WORDS = "The passenger lifts are inspected and serviced every four weeks"


@pytest.fixture
def printed(tmp_path: Path) -> Iterator[tuple[TestClient, Path, str]]:
    """A library of one PDF: the client, the file, and the reference of words on page 2."""
    folder = tmp_path / "pdf"
    folder.mkdir()
    file = folder / "policy.pdf"
    shutil.copy(PDF, file)
    with new_library(tmp_path / "pdf.quoth", folder) as library:
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
        yield client, file, cite(library, "policy.pdf", POLICY_WORDS).ref


def test_a_pdf_shows_the_page_with_a_box_for_each_line(
    printed: tuple[TestClient, Path, str],
) -> None:
    client, _, ref = printed
    page = opened(client, ref)["page"]
    assert (page["number"], page["pages"]) == (2, 5)
    assert len(page["boxes"]) == 1
    assert all(0 < value < 100 for value in page["boxes"][0].values())
    image = client.get(page["image"])
    assert image.headers["content-type"] == "image/png"
    assert image.content.startswith(b"\x89PNG")
    assert client.get(page["image"].replace("/2.png", "/6.png")).status_code == 404


def test_a_pdf_that_is_no_longer_the_indexed_one_is_shown_as_text(
    printed: tuple[TestClient, Path, str],
) -> None:
    """Boxes on a changed page would mark other words."""
    client, file, ref = printed
    image = opened(client, ref)["page"]["image"]
    file.write_bytes(b"%PDF-1.4 something else")
    source = opened(client, ref)
    assert (source["page"], source["quote"]) == (None, POLICY_WORDS)
    assert client.get(image).status_code == 404
