"""Pages of a PDF: the image, the boxes of any words on it, and the file itself."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from small import new_library

from index.errors import ParserEndedError
from index.formats import pages as drawing
from qa.web.app import create_app
from qa.web.source_files import SourceFiles
from qa.web.source_pages import SourcePages

if TYPE_CHECKING:
    from index.types import Document
    from qa.web.services import Services

PDF = Path(__file__).parents[3] / "examples/documents/building/lift-maintenance-policy.pdf"
WORDS = "The passenger lifts are inspected and serviced every four weeks"


class Printed(NamedTuple):
    """A library of one PDF: a client, the server, the file, the document's name and content."""

    client: TestClient
    services: Services
    file: Path
    document: str
    content: Document

    def get(self, address: str, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        """Return what one of the document's routes says."""
        reply = self.client.get(f"/api/source/{self.document}{address}")
        assert reply.status_code == status, reply.text
        return reply.json()

    def span(self, words: str) -> str:
        """Return where `words` stand, as addresses have it."""
        start = self.content.text.index(words)
        return f"{start}-{start + len(words)}"


@pytest.fixture
def printed(tmp_path: Path) -> Iterator[Printed]:
    """A library of the policy."""
    folder = tmp_path / "pdf"
    folder.mkdir()
    file = folder / "policy.pdf"
    shutil.copy(PDF, file)
    with new_library(tmp_path / "pdf.quoth", folder) as library:
        (info,) = library.documents()
        document = f"{info.id}-{info.text_hash[:12]}"
        app = create_app(library)
        with TestClient(app, base_url="http://127.0.0.1:7860") as client:
            yield Printed(client, app.state.services, file, document, library.content(info.id))


def test_a_citation_of_a_pdf_comes_with_its_page_and_a_box_for_each_line(printed: Printed) -> None:
    source = printed.get(f"/{printed.span(WORDS)}")
    page = source["print"]
    assert (page["number"], page["pages"], source["page"], source["pages"]) == (2, 5, 2, 5)
    ((box,),) = page["boxes"]
    assert all(0 < value < 100 for value in box.values())
    assert page["start"] < printed.content.text.index(WORDS) < page["end"]
    image = printed.client.get(f"/api/{page['image']}")
    assert image.headers["content-type"] == "image/png"
    width, height = Image.open(io.BytesIO(image.content)).size
    assert (width, height) == (ceil(2 * page["width"]), ceil(2 * page["height"]))


def test_every_page_can_be_turned_to_with_the_boxes_of_any_words(printed: Printed) -> None:
    hits = printed.get("/search?q=lift")["hits"]
    assert {hit["page"] for hit in hits} >= {1, 2, 3}
    for number in range(1, 6):
        spans = [f"{hit['start']}-{hit['end']}" for hit in hits if hit["page"] == number]
        page = printed.get(f"/page/{number}?spans={','.join(spans)}")
        assert (page["number"], len(page["boxes"])) == (number, len(spans))
        assert all(page["boxes"])
    # Words of another page have no box on this one.
    assert printed.get(f"/page/1?spans={printed.span(WORDS)}")["boxes"] == [[]]
    assert printed.get("/page/1")["boxes"] == []


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/page/0", 404),
        ("/page/6", 404),
        ("/page/1?spans=4", 422),
        ("/page/1?spans=4-5,", 422),
        ("/page/1?spans=" + ",".join(["1-2"] * 501), 422),
        ("/page/x", 422),
    ],
)
def test_what_is_no_page_is_told_in_a_sentence(printed: Printed, address: str, status: int) -> None:
    assert printed.get(address, status)["detail"]


def test_images_come_in_a_few_sizes(printed: Printed) -> None:
    def width(scale: str) -> int:
        reply = printed.client.get(f"/api/page/{printed.document}/1.png?scale={scale}")
        return int(Image.open(io.BytesIO(reply.content)).width)

    points = printed.get("/page/1")["width"]
    assert [width(scale) for scale in ("0.2", "1.2", "2.1")] == [
        ceil(points), ceil(1.5 * points), ceil(3 * points),
    ]  # fmt: skip
    for scale in ("0", "9", "nan", "x"):
        reply = printed.client.get(f"/api/page/{printed.document}/1.png?scale={scale}")
        assert reply.status_code == 422, scale
    assert printed.client.get(f"/api/page/{printed.document}/6.png").status_code == 404


def test_the_original_opens_in_the_browser(printed: Printed) -> None:
    assert printed.get("")["original"] is True
    reply = printed.client.get(f"/api/source/{printed.document}/file")
    assert reply.content == PDF.read_bytes()
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.headers["content-disposition"] == 'inline; filename="policy.pdf"'


def test_a_pdf_that_is_no_longer_the_indexed_one_is_shown_as_text(printed: Printed) -> None:
    """Boxes on a changed page would mark other words."""
    image = printed.get("/page/2")["image"]
    assert printed.client.get(f"/api/{image}").status_code == 200
    printed.file.write_bytes(b"%PDF-1.4 something else")
    source = printed.get(f"/{printed.span(WORDS)}")
    assert (source["print"], source["quote"], source["original"]) == (None, WORDS, False)
    assert source["status"] == "changed"
    printed.get("/page/2", 404)
    for address in (image, f"source/{printed.document}/file"):
        assert printed.client.get(f"/api/{address}").status_code == 404


@pytest.mark.slow
def test_many_people_turn_pages_at_once(printed: Printed) -> None:
    """PDFium is not thread-safe: without one lock this ends the process."""
    statuses: list[int] = []

    def turn(scale: float) -> None:
        for number in range(1, 6):
            for address in (
                f"/api/page/{printed.document}/{number}.png?scale={scale}",
                f"/api/source/{printed.document}/page/{number}?spans={printed.span(WORDS)}",
            ):
                statuses.append(printed.client.get(address).status_code)

    threads = [threading.Thread(target=turn, args=(scale,)) for scale in (1, 1.5, 2, 1, 1.5, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 60


def _busy(reply: Any) -> str:  # noqa: ANN401
    assert (reply.status_code, reply.json()["type"]) == (503, "urn:quoth:problem:busy")
    return str(reply.headers["retry-after"])


def test_when_others_turn_too_many_pages_it_says_when_to_come_again(printed: Printed) -> None:
    """Pages that take long have few threads; everything else goes on."""
    pictures = printed.services.pictures
    pictures._seconds = 0.05
    portal = printed.client.portal
    assert portal is not None
    for number in range(4):
        portal.call(pictures._enter, f"somebody {number}")
    picture = f"/api/page/{printed.document}/1.png"
    assert _busy(printed.client.get(picture)).isdigit()
    assert _busy(printed.client.get(f"/api/source/{printed.document}/page/1")).isdigit()
    # The words of a source are there all the same.
    source = printed.get(f"/{printed.span(WORDS)}")
    assert (source["quote"], source["print"]) == (WORDS, None)
    portal.call(pictures._leave, "somebody 0")
    assert printed.client.get(picture).status_code == 200


def test_when_the_drawers_are_busy_a_page_is_not_said_to_be_missing(
    printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_PATIENCE", 0.05)
    slots = drawing._pool()._slots
    picture = f"/api/page/{printed.document}/1.png"
    with slots, slots:
        assert _busy(printed.client.get(picture)).isdigit()
        assert _busy(printed.client.get(f"/api/source/{printed.document}/page/1")).isdigit()
        assert printed.get(f"/{printed.span(WORDS)}")["print"] is None
    assert printed.client.get(picture).status_code == 200


def test_a_picture_is_of_the_file_that_was_compared(printed: Printed, tmp_path: Path) -> None:
    """Between comparing and drawing somebody puts another file in its place."""
    (info,) = printed.services.library.documents()
    files = SourceFiles(printed.services.library)
    with PDF.open("rb") as policy:
        expected = SourcePages().image(info, policy, 1, 1.0)
    page = printed.content.pages[0]
    spans = [(page.start, page.end)]
    file = files.open(info)
    assert file is not None
    with file:
        boxes = SourcePages().view(info, file, printed.content, 1, spans).boxes
        other = tmp_path / "other.pdf"
        Image.new("RGB", (300, 300), "red").save(other)
        other.replace(printed.file)
        pages = SourcePages()
        assert pages.image(info, file, 1, 1.0) == expected
        assert pages.view(info, file, printed.content, 1, spans).boxes == boxes != ((),)
    # And what was kept of one file is not shown as the other one.
    with printed.file.open("rb") as red:
        assert pages.image(info, red, 1, 1.0) != expected


def test_a_picture_of_a_file_that_is_written_meanwhile_is_not_shown(printed: Printed) -> None:
    (info,) = printed.services.library.documents()
    files = SourceFiles(printed.services.library)
    file = files.open(info)
    assert file is not None
    with file:
        assert files.is_same(info, file)
        printed.file.write_bytes(b"%PDF-1.4 something else")
        assert not files.is_same(info, file)


def test_what_took_too_long_is_tried_again_after_a_while() -> None:
    seconds = [0.0]
    pages = SourcePages(clock=lambda: seconds[0])
    tried = []

    def draw() -> bytes:
        tried.append(seconds[0])
        raise ParserEndedError("takes too long to read (over 10 s)")

    for now in (0.0, 1.0, 599.0, 601.0):
        seconds[0] = now
        with pytest.raises(ParserEndedError, match="takes too long"):
            pages._once(("a page",), draw)
    assert tried == [0.0, 601.0]
