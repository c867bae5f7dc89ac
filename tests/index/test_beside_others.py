"""Who may only read a library sees what its owner publishes; another library is never read."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, write

from index import Library
from index.errors import LibraryError, LibraryLockedError
from index.lock import writer_lock
from index.store import FILE, Store, generation

_READER = """
import os, sys
from small import HashEncoder, QUESTIONS, answers
from index import Library
import index.searcher, index.find, qa.retriever, Stemmer, faiss, tantivy, json.decoder
import encodings.idna, filelock
os.setgid(65534)
os.setuid(65534)
with Library.open(sys.argv[1], read_only=True, encoder=HashEncoder()) as library:
    for line in sys.stdin:
        print(library.generation, ascii(answers(library, QUESTIONS)), flush=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
@pytest.mark.parametrize("first", ["reader", "owner"])
def test_who_may_only_read_sees_every_generation(first: str) -> None:
    """Not below tmp_path, which only its owner may look into."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        (top / "l.quoth").mkdir(mode=0o755)
        folder = write(top / "house", HOUSE)
        library = new_library(top / "l.quoth", folder)
        if first == "reader":
            library.close()
        with subprocess.Popen(
            [sys.executable, "-c", _READER, str(top / "l.quoth")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", "HOME": "/"},
        ) as reader:
            assert reader.stdin is not None
            assert reader.stdout is not None

            def seen() -> str:
                print(file=reader.stdin, flush=True)
                return str(reader.stdout.readline()).strip()  # type: ignore[union-attr]

            before = seen()
            if first == "reader":
                library = Library.open(top / "l.quoth", encoder=HashEncoder())
            with library:
                for number in range(3):
                    (folder / "lift.txt").write_text(f"The lift is inspected {number} times.")
                    library.sync(folder)
                    now = f"{library.generation} {answers(library, QUESTIONS)!a}"
                    assert seen() == now != before
            assert seen() == now  # also when the owner has gone
            reader.stdin.close()


def test_a_connection_to_another_library_in_its_place_is_not_kept(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Store.create(tmp_path / name).close()
    with Store.open(tmp_path / "two").writing() as db:
        db.execute("INSERT INTO sources(kind, location) VALUES('folder', '/two')")
    store = Store.open(tmp_path / "one")
    with store.reading() as db:  # none is idle
        assert generation(db) == 0
        (tmp_path / "one").rename(tmp_path / "moved")
        (tmp_path / "two").rename(tmp_path / "one")
        with pytest.raises(LibraryError, match="replaced by another"), store.reading():
            pass
    (tmp_path / "one").rename(tmp_path / "two")
    (tmp_path / "moved").rename(tmp_path / "one")
    with store.reading() as first, store.reading() as second:
        for db in (first, second):
            assert db.execute("SELECT count(*) FROM sources").fetchone()[0] == 0
    store.close()


def test_nothing_of_another_library_is_touched_before_it_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Store.create(tmp_path / name).close()
    store = Store.open(tmp_path / "one")
    for _ in range(2):
        with store.reading():
            pass
    (tmp_path / "one").rename(tmp_path / "moved")
    (tmp_path / "two").rename(tmp_path / "one")
    index = tmp_path / "one" / f"{FILE}-shm"
    index.write_bytes(b"short")
    with pytest.raises(LibraryError, match="replaced by another"), store.reading():
        pass
    assert index.read_bytes() == b"short"
    store.close()


@pytest.mark.parametrize("held", ["[]", "1", '"x"', "null", "{}", "{", "\udcff"])
def test_whoever_waits_for_a_lock_is_told_also_where_its_holder_is_not(
    tmp_path: Path, held: str
) -> None:
    with writer_lock(tmp_path):
        (tmp_path / "writer.json").write_bytes(os.fsencode(held))
        second = writer_lock(tmp_path, wait=0)
        with pytest.raises(LibraryLockedError, match="another process"), second:
            pass
