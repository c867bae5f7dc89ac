"""Files are parsed in processes of their own: what goes wrong there stays there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from make_pdf import Writer
from small import new_library, write

from index.errors import FormatError, ParserEndedError, SyncCancelledError
from index.formats import Limits, format_of, read_document, read_file
from index.formats.apart import Pool
from index.formats.opening import opened
from index.formats.pages import draw_page, find_on_page
from index.types import Document

T = TypeVar("T")

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(
    path for path in (ROOT / "examples/documents").rglob("*") if format_of(path) is not None
)
SLOW = "*a **b " * 600_000  # takes minutes, in a parser that looks back for each mark


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Two processes at most, apart from those of the library."""
    pool = Pool(2)
    yield pool
    pool.close()


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A file that takes minutes to parse."""
    path = tmp_path / "slow.md"
    path.write_text(SLOW)
    return path


def parse(
    pool: Pool,
    path: Path,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    cancel: threading.Event | None = None,
) -> Document:
    """Parse a Markdown file in the pool."""
    order = {"do": "parse", "modules": ["index.formats.markdown"], "format": "markdown"}
    with opened(path) as file:
        return pool.run(order, file, limits, lambda reply: reply.document(), cancel=cancel)


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has made."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, IndexError):
            continue
        if int(status[1]) == pid and status[0] != "Z":
            found.append(int(folder.name))
    return found


def wait_for(what: Callable[[], T]) -> T:
    """Return what `what` returns once that is true."""
    until = time.monotonic() + 60
    while not (value := what()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
    return value


def is_gone(pid: int) -> bool:
    """Return whether there is no such process; one that nobody has asked about yet is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def parsers(before: set[int]) -> list[int]:
    """Return the processes in which files are parsed now, by servers that are not in `before`."""
    servers = set(children(os.getpid())) - before
    return [worker for server in servers for worker in children(server)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_a_document_comes_back_as_it_was_parsed(path: Path) -> None:
    format_ = format_of(path)
    assert format_ is not None
    document = read_document(path, limits=Limits())
    assert replace(document, language=None) == replace(format_.parse(path, Limits()), language=None)


def test_a_file_over_its_time_is_refused_and_the_next_one_read(pool: Pool, slow: Path) -> None:
    with pytest.raises(ParserEndedError) as caught:
        parse(pool, slow, Limits(seconds=1))
    assert caught.value.reason == "takes too long to read (over 1 s)"
    slow.write_text("# Quay\n\nIt is wet.")
    assert parse(pool, slow).title == "Quay"


def test_a_file_over_its_memory_is_refused_and_the_next_one_read(
    pool: Pool, tmp_path: Path
) -> None:
    path = tmp_path / "wide.md"
    path.write_text("\n\n".join(f"*{n}* `b` [c](d)" for n in range(60_000)))
    with pytest.raises(ParserEndedError) as caught:
        parse(pool, path, Limits(memory=64 * 2**20))
    assert caught.value.reason == "needs too much memory (over 64 MB)"
    path.write_text("# Quay\n\nIt is wet.")
    assert parse(pool, path).title == "Quay"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_parser_that_crashes_takes_only_its_file_with_it(pool: Pool, slow: Path) -> None:
    before = set(children(os.getpid()))
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(parse, pool, slow)
        (worker,) = wait_for(lambda: parsers(before))
        os.kill(worker, signal.SIGSEGV)
        with pytest.raises(ParserEndedError, match=r"^the reader of this format crashed$"):
            reading.result(60)
    slow.write_text("# Quay\n\nIt is wet.")
    assert parse(pool, slow).title == "Quay"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_server_that_was_ended_between_two_files_is_not_missed(
    pool: Pool, tmp_path: Path
) -> None:
    before = set(children(os.getpid()))
    path = write(tmp_path, {"a.md": "# Quay\n\nIt is wet."}) / "a.md"
    assert parse(pool, path).title == "Quay"
    (server,) = set(children(os.getpid())) - before
    assert parse(pool, path).title == "Quay"
    assert set(children(os.getpid())) - before == {server}, "it is kept for the next file"
    os.kill(server, signal.SIGKILL)
    assert parse(pool, path).title == "Quay"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_cancelling_ends_the_parser_at_once(pool: Pool, slow: Path) -> None:
    before = set(children(os.getpid()))
    cancel = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(parse, pool, slow, Limits(seconds=600), cancel)
        (worker,) = wait_for(lambda: parsers(before))
        cancel.set()
        with pytest.raises(SyncCancelledError):
            reading.result(60)
    wait_for(partial(is_gone, worker))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_parser_does_not_outlive_who_asked(slow: Path) -> None:
    code = "import sys; from pathlib import Path; from index.formats import read_document\n"
    code += "read_document(Path(sys.argv[1]))"
    asking = subprocess.Popen(
        [sys.executable, "-c", code, str(slow)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        servers = wait_for(lambda: children(asking.pid))
        workers = wait_for(lambda: [w for s in servers for w in children(s)])
    finally:
        asking.kill()
        asking.wait()
    for pid in (*servers, *workers):
        wait_for(partial(is_gone, pid))


def held_open(process: Path) -> list[str]:
    """Return what a process has open; nothing where it is just closing something."""
    try:
        links = [os.readlink(link) for link in (process / "fd").iterdir()]
    except FileNotFoundError:
        return []
    return sorted(link.partition(":")[0] for link in links)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_parser_is_given_nothing_of_ours(
    pool: Pool, slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "of ours")
    before = set(children(os.getpid()))
    held, other = socket.socketpair()
    held.set_inheritable(True)
    cancel = threading.Event()
    with held, other, ThreadPoolExecutor(1) as threads:
        reading = threads.submit(parse, pool, slow, Limits(), cancel)
        (worker,) = wait_for(lambda: parsers(before))
        wait_for(lambda: "NoNewPrivs:\t1" in Path(f"/proc/{worker}/status").read_text())
        folder = Path(f"/proc/{worker}")
        kept = sorted(["/dev/null"] * 3 + [str(slow), "socket"])
        wait_for(lambda: held_open(folder) == kept)
        limits = (folder / "limits").read_text()
        environment = (folder / "environ").read_bytes()
        cancel.set()
        with pytest.raises(SyncCancelledError):
            reading.result(60)
    assert b"A_SECRET" not in environment
    lines = {line[:25].strip(): line[25:].split()[:2] for line in limits.splitlines()}
    assert lines["Max file size"] == lines["Max core file size"] == ["0", "0"]
    assert lines["Max address space"] == [str(2**30)] * 2


def test_many_threads_get_their_own_documents(tmp_path: Path) -> None:
    texts = {f"{n}.md": f"# Pier {n}\n\nIt has {n} lamps." for n in range(24)}
    write(tmp_path, texts)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda name: read_document(tmp_path / name).title, texts))
    assert found == [f"Pier {n}" for n in range(24)]


def test_the_cause_of_a_damaged_file_quotes_nothing_of_it(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path, {"a.md": "the secret recipe"}) / "a.md"
    order = {"do": "parse", "modules": [], "format": "docx"}
    with opened(path) as file, pytest.raises(FormatError) as caught:
        pool.run(order, file, Limits(), lambda reply: reply.document())
    assert caught.value.reason == "damaged DOCX"
    assert "BadZipFile at " in str(caught.value.__cause__)
    assert "recipe" not in str(caught.value.__cause__)


@pytest.mark.slow
def test_a_page_that_takes_too_long_holds_up_no_other(tmp_path: Path) -> None:
    heavy, light = tmp_path / "heavy.pdf", tmp_path / "light.pdf"
    writer = Writer()
    writer.add_page()
    writer.paragraph("The quay is wet.")
    writer.output(str(light))
    heavy.write_bytes(pdf_of(b"0 0 m 600 780 l S " * 3_000_000))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(draw_page, heavy, 1, scale=4, limits=Limits(seconds=3))
        assert draw_page(light, 1, scale=1).startswith(b"\x89PNG")
        with pytest.raises(ParserEndedError, match=r"takes too long to read|too much memory"):
            slow.result(120)
    assert draw_page(light, 1, scale=1).startswith(b"\x89PNG")


def test_a_page_is_found_as_it_is_without_a_process_of_its_own() -> None:
    from index.formats.pdf import boxes_of, page_size

    path = next(path for path in EXAMPLES if path.suffix == ".pdf")
    document = read_document(path)
    page = document.pages[1]
    spans = [(page.start, page.start + 40), (page.end - 30, page.end), (0, 5)]
    place = find_on_page(path, page, spans)
    assert (place.width, place.height) == page_size(path, 2)
    assert [list(boxes) for boxes in place.boxes] == boxes_of(path, page, spans)
    assert place.boxes[0]
    assert place.boxes[2] == ()


def test_a_sync_names_what_could_not_be_read_and_reads_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.fileread.read_file", partial(read_file, limits=Limits(seconds=1)))
    folder = write(
        tmp_path / "folder",
        {
            "a.md": "# Quay\n\nIt is wet.",
            "b.md": SLOW,
            "c.pdf": b"%PDF-1.4\nno more",
            "d.html": "<p>The pier is long.</p>",
        },
    )
    with new_library(tmp_path / "l.quoth") as library:
        report = library.sync(folder)
        assert report.added == ("a.md", "d.html")
        assert {skip.path: skip.reason for skip in report.skipped} == {
            "b.md": "takes too long to read (over 1 s)",
            "c.pdf": "damaged PDF: its end is missing",
        }


def pdf_of(content: bytes) -> bytes:
    """Return a PDF of one page with this content."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>",
        b"<</Length %d>>stream\n" % len(content) + content + b"\nendstream",
    ]
    data = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n" + table
    return bytes(data + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start)
