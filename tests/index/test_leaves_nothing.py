"""Of what was removed nothing is left in any byte of the library after compacting."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import tantivy
from small import HOUSE, HashEncoder, answers, new_library, write

from index import Library, vectors
from index.ingest import key_of
from index.store import FILE
from index.types import Part
from index.words import WordIndex

# Words that stand nowhere else, and that neither stemming nor folding changes.
SECRETS = ("quibblefax", "zanthorium", "wobblenook", "marmelquist")
SENTENCE = "The {0} is kept under the {0} stairs."


@pytest.fixture(autouse=True)
def _small_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SMALLEST_BASE", 8)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A library of the house, where one more file holds the first of the secrets."""
    folder = write(tmp_path / "house", {**HOUSE, "secret.md": text_of(SECRETS[0])})
    with new_library(tmp_path / "house.quoth", folder) as opened:
        yield opened


def text_of(secret: str) -> str:
    """Return a text that holds a secret as heading, sentences, item and cell."""
    said = SENTENCE.format(secret)
    return f"# About {secret}\n\n{said}\n\n- {secret} one\n- {secret} two\n\n" + said * 30


def unpacked(data: bytes) -> Iterator[bytes]:
    """Yield what every zlib stream that begins anywhere in `data` unpacks to."""
    start = data.find(b"\x78")
    while start >= 0:
        if int.from_bytes(data[start : start + 2], "big") % 31 == 0:
            # Torn by the edge of a page it still gives its beginning.
            stream, out = zlib.decompressobj(), bytearray()
            try:
                for place in range(start, min(start + 200_000, len(data)), 64):
                    out += stream.decompress(data[place : place + 64], 1 << 20)
                    if stream.eof:
                        break
            except zlib.error:
                pass
            yield bytes(out)
        start = data.find(b"\x78", start + 1)


def places(path: Path, secret: str) -> list[str]:
    """Return the files of a library that hold `secret`, in whatever way."""
    model = HashEncoder()
    said = SENTENCE.format(secret)
    lines = [said, f"{secret} one", f"{secret} two", f"About {secret}", f"{said} {secret} one"]
    needles = [secret[1:-1].encode(coding) for coding in ("utf-8", "utf-16-le", "utf-16-be")]
    needles.append(secret[1:-1].upper().encode())
    for line in lines:
        vector = model.encode_query(line).astype(np.float16)
        needles += [key_of(Part.whole(line)), vector.tobytes(), vector.astype(np.float32).tobytes()]
    found = []
    for file in sorted(path.rglob("*")):
        if not file.is_file():
            continue
        data = file.read_bytes()
        if any(needle in data for needle in needles):
            found.append(file.name)
        elif any(secret.encode() in text for text in unpacked(data)):
            found.append(f"{file.name} (packed)")
        if secret in file.name:
            found.append(f"the name {file.name}")
    # A dictionary of terms has no letters in a row: Tantivy itself must say what is in it.
    for folder in path.glob("words-*"):
        if WordIndex(tantivy.Index.open(str(folder))).vocabulary(secret[:6]):
            found.append(f"{folder.name} (terms)")
    return found


def by_sync(library: Library, secret: str) -> None:
    folder = library.path.parent / "house"
    write(folder, {f"{secret}.md": text_of(secret)})
    library.sync(folder)
    (folder / f"{secret}.md").unlink()
    library.sync(folder)


def by_change(library: Library, secret: str) -> None:
    folder = library.path.parent / "house"
    write(folder, {"changed.md": text_of(secret)})
    library.sync(folder)
    write(folder, {"changed.md": "# About nothing\n\nNothing is kept under the stairs."})
    library.sync(folder)


def by_hand(library: Library, secret: str) -> None:
    library.add(text_of(secret), name=f"about {secret}", title=f"On {secret}")
    library.remove(f"about {secret}")


def by_another_text(library: Library, secret: str) -> None:
    library.add(text_of(secret), name="note", title=f"On {secret}")
    library.add("Nothing at all.", name="note")


def by_upload(library: Library, secret: str) -> None:
    file = write(library.path.parent, {f"{secret}.md": text_of(secret)}) / f"{secret}.md"
    library.add(file)
    library.remove(library.uploads / file.name)


def by_source(library: Library, secret: str) -> None:
    other = write(library.path.parent / "other", {f"{secret}.md": text_of(secret)})
    library.sync(other)
    library.remove(other)


def by_rebuilding(library: Library, secret: str) -> None:
    """With the vectors of another model, which go too."""
    by_hand(library, secret)
    library.rebuild(encoder=HashEncoder("other"))
    library.rebuild(encoder=HashEncoder())


def by_failing(library: Library, secret: str) -> None:
    """What was embedded for a sync that failed waits for the next one, and no longer."""
    folder = library.path.parent / "house"
    write(folder, {f"{secret}.md": text_of(secret)})
    real = HashEncoder.encode_query
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.draft.Draft.publish", _fail)
        with pytest.raises(KeyboardInterrupt):
            library.sync(folder)
    assert HashEncoder.encode_query is real
    (folder / f"{secret}.md").unlink()


def _fail(*args: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "removed",
    [
        by_sync,
        by_change,
        by_hand,
        by_another_text,
        by_upload,
        by_source,
        pytest.param(by_rebuilding, marks=pytest.mark.slow),
        by_failing,
    ],
)
def test_what_was_removed_is_in_no_byte_after_compacting(
    library: Library, removed: Callable[[Library, str], None]
) -> None:
    secret = SECRETS[1]
    removed(library, secret)
    assert places(library.path, secret)  # the search finds what is there
    assert library.compact().left == ""
    assert places(library.path, secret) == []
    with closing(sqlite3.connect(library.path / FILE)) as db:
        assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert library.check().ok
    library.close()
    assert places(library.path, secret) == []
    # And what is alive is all there.
    assert places(library.path, SECRETS[0])


def test_every_way_of_keeping_a_text_is_looked_through(library: Library, tmp_path: Path) -> None:
    """The search for what is left would find it in each kind of file."""
    library.rebuild()
    library.close()
    names = " ".join(places(library.path, SECRETS[0]))
    assert all(kind in names for kind in (FILE, "words-2 (terms)", ".faiss")), names
    for number, data in enumerate(
        (
            zlib.compress(b"About " + SECRETS[2].encode(), 3),
            SECRETS[2].encode("utf-16-le"),
            key_of(Part.whole(SENTENCE.format(SECRETS[2]))),
            HashEncoder().encode_query(f"{SECRETS[2]} one").astype(np.float16).tobytes(),
        )
    ):
        file = tmp_path / f"{number}" / "any"
        file.parent.mkdir()
        file.write_bytes(b"x" * 4090 + data + b"x" * 100)
        assert places(file.parent, SECRETS[2])


def test_a_reader_in_the_way_is_told_and_the_next_time_all_is_gone(library: Library) -> None:
    by_hand(library, SECRETS[1])
    with Library.open(library.path, read_only=True, encoder=HashEncoder()) as reader:
        with reader.searching() as searcher:
            before = library.generation
            freed = library.compact()
            assert "somebody reads the library; compact again later" in freed.left
            assert searcher.generation == before
        assert places(library.path, SECRETS[1])
        assert library.compact().left == ""
        assert places(library.path, SECRETS[1]) == []


def test_what_a_question_began_with_stays_until_it_ends(library: Library) -> None:
    """A state that is compacted away under a reader answers on from what the reader holds."""
    questions = (SENTENCE.format(SECRETS[0]), "Who keeps the inspection book?")
    with Library.open(library.path, read_only=True, encoder=HashEncoder()) as reader:
        before = answers(reader, questions)
        with reader.searching() as searcher:
            numbers = list(searcher.documents)
            library.remove("secret.md")
            library.compact()
            library.rebuild()
            assert list(searcher.documents) == numbers
            found = searcher.with_any(["quibblefax"], 10, None)
            assert found
            assert any("quibblefax" in searcher.text(p.document) for p in searcher.passages(found))
            query = HashEncoder().encode_query(SENTENCE.format(SECRETS[0]))
            rows = searcher.passages(searcher.nearest(query, 5, None))
            assert len(searcher.vectors([row.vector for row in rows])) == len(rows) > 0
            assert any("quibblefax" in searcher.text(row.document) for row in rows)
        after = answers(reader, questions)
        assert after != before
        assert [place[0] for place in after[1]] == [
            place[0] for place in before[1] if place[0] != "secret.md"
        ]
        assert library.compact().left == ""
        assert places(library.path, SECRETS[0]) == []
