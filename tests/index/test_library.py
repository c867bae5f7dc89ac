"""Library: the one object users hold."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, sentences, stored, write

from index import Filter, Library
from index.errors import (
    DocumentNotFoundError,
    FormatError,
    LibraryError,
    LibraryFormatError,
    LibraryNotFoundError,
    ModelMismatchError,
    SourceError,
)
from index.types import Encoder
from qa import Chat, Retriever, retrieve

# -- opening ------------------------------------------------------------------------------------


def test_a_mistyped_path_makes_no_library(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFoundError):
        Library.open(tmp_path / "mistyped.quoth")
    with pytest.raises(LibraryNotFoundError):
        retrieve("What is said about the lift?", library=tmp_path / "mistyped.quoth")
    with pytest.raises(LibraryNotFoundError):
        Library.open(tmp_path / "mistyped.quoth", create=True, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_something_else_is_refused(folder: Path) -> None:
    for create in (False, True):
        with pytest.raises(LibraryFormatError, match="not a Quoth library"):
            Library.open(folder, create=create)
    with pytest.raises(LibraryFormatError):
        Library.open(folder / "lift.txt", create=True)


def test_create_opens_what_is_there_and_an_empty_folder_is_room_for_a_library(
    library: Library, tmp_path: Path
) -> None:
    with Library.open(library.path, create=True, encoder=HashEncoder()) as again:
        assert len(again.documents()) == 4
    (tmp_path / "empty").mkdir()
    with Library.open(tmp_path / "empty", create=True) as empty:
        assert empty.documents() == []
        assert empty.status().model == ""


def test_an_empty_library_answers_nothing(tmp_path: Path) -> None:
    with Library.open(tmp_path / "a.quoth", create=True, encoder=HashEncoder()) as library:
        assert Retriever(library).retrieve("Is there anything?") == []
        assert Chat(library).ask("Is there anything in it about lifts?").abstained
        assert library.find("lift").total == 0
        library.rebuild()
        library.compact()
        assert library.documents() == []


def test_another_model_is_refused_and_the_message_says_what_to_do(library: Library) -> None:
    with pytest.raises(ModelMismatchError, match=r"hashed words, not other.*rebuild --model"):
        Library.open(library.path, encoder=HashEncoder("other"))


def test_after_another_process_rebuilt_with_another_model_none_are_mixed(library: Library) -> None:
    """Who gave the old model is told; the questions of who gave the new one are answered."""
    assert Retriever(library).retrieve(QUESTIONS[0])
    with Library.open(library.path) as other:
        other.rebuild(encoder=HashEncoder("other"))
        assert Retriever(other).retrieve(QUESTIONS[0])[0].citation.path == "lift.txt"
    with pytest.raises(ModelMismatchError, match="built with the model other"):
        Retriever(library).retrieve(QUESTIONS[0])
    with pytest.raises(ModelMismatchError, match="built with the model other"):
        library.add("A new text about lifts.", name="new")


def test_a_closed_library_says_so(library: Library) -> None:
    library.close()
    for call in (library.documents, library.status, library.compact):
        with pytest.raises(LibraryError, match="closed"):
            call()
    with pytest.raises(LibraryError, match="closed"):
        Retriever(library).retrieve("What about the lift?")


def files_in(path: Path) -> dict[str, bytes]:
    # SQLite's shared memory is a reader's own; it holds nothing of the library.
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and not file.name.endswith(("-shm", "-wal"))
    }


def test_a_library_opened_for_reading_refuses_changes_and_stays_as_it_is(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"new.txt": "A new text."})
    library.close()
    before = files_in(library.path)
    with Library.open(library.path, read_only=True, encoder=HashEncoder()) as reading:
        assert Retriever(reading).retrieve(QUESTIONS[0])[0].citation.path == "lift.txt"
        for change in (
            lambda: reading.sync(folder),
            lambda: reading.sync(reading.uploads),
            lambda: reading.add(tmp_path / "new.txt"),
            lambda: reading.add("text", name="note"),
            lambda: reading.remove("lift.txt"),
            lambda: reading.rebuild(),
            lambda: reading.compact(),
        ):
            with pytest.raises(LibraryError, match="for reading only"):
                change()
    assert files_in(library.path) == before


_UNPRIVILEGED = """
import os, sys
from small import HashEncoder, QUESTIONS, answers
from index import Library
import index.searcher, index.find, qa.retriever, Stemmer, faiss, tantivy, json.decoder
import encodings.idna, filelock
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with Library.open(sys.argv[1], read_only=True, encoder=HashEncoder()) as library:
    print(ascii(answers(library, QUESTIONS)))
"""


def test_a_library_on_a_read_only_medium_answers_the_same(library: Library) -> None:
    expected = answers(library, QUESTIONS)
    library.close()
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy.quoth"
        shutil.copytree(library.path, copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        Path(name).chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", _UNPRIVILEGED, str(copy)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
        )
        for path in (copy, *copy.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.strip() == ascii(expected)


def test_a_library_that_was_moved_or_copied_answers_the_same(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"upload.txt": "The gate is locked at ten."})
    library.add(tmp_path / "upload.txt")
    questions = [*QUESTIONS, "When is the gate locked?"]
    expected = answers(library, questions)
    library.close()
    shutil.copytree(library.path, tmp_path / "copy")
    library.path.rename(tmp_path / "moved")
    for place in ("copy", "moved"):
        with Library.open(tmp_path / place, encoder=HashEncoder()) as again:
            assert answers(again, questions) == expected
            (upload,) = again.documents(Filter(pattern="upload.txt"))
            assert upload.file == again.uploads / "upload.txt"
            assert again.sync(again.uploads).unchanged == 1
            assert again.sync(folder).unchanged == 4


# -- adding and removing ------------------------------------------------------------------------


def test_a_file_that_is_added_is_kept_in_the_library(library: Library, tmp_path: Path) -> None:
    write(tmp_path, {"gate.txt": "The gate is locked at ten."})
    info = library.add(tmp_path / "gate.txt")
    (tmp_path / "gate.txt").unlink()
    assert (info.path, info.file) == ("gate.txt", library.uploads / "gate.txt")
    assert library.text(info.id) == "The gate is locked at ten."
    assert [source.kind for source in library.sources()] == ["folder", "upload"]
    write(tmp_path, {"new.txt": "The gate is locked at nine."})
    again = library.add(tmp_path / "new.txt", name="gate.txt")
    assert [d.id for d in library.documents(Filter(pattern="gate.txt"))] == [again.id]


@pytest.mark.parametrize("name", ["../gate.txt", "a/gate.txt", ".gate.txt", "~$gate.txt", ".."])
def test_names_that_lead_elsewhere_are_refused(library: Library, tmp_path: Path, name: str) -> None:
    write(tmp_path, {"gate.txt": "The gate is locked at ten."})
    with pytest.raises(SourceError, match="cannot be the name"):
        library.add(tmp_path / "gate.txt", name=name)
    assert len(library.documents()) == 4
    assert not library.uploads.exists()


def test_what_cannot_be_read_is_not_added_and_the_version_before_is_kept(
    library: Library, tmp_path: Path
) -> None:
    write(tmp_path, {"a.txt": "Good text.", "b.txt": b"\x00\x01\x02\xff" * 50, "c.xyz": "?"})
    library.add(tmp_path / "a.txt")
    for name in ("a.txt", None):
        with pytest.raises(FormatError, match="binary"):
            library.add(tmp_path / "b.txt", name=name)
    with pytest.raises(FormatError, match="unknown format"):
        library.add(tmp_path / "c.xyz")
    with pytest.raises(SourceError, match="no file at"):
        library.add(tmp_path / "nowhere.txt")
    assert {file.name: file.read_text() for file in library.uploads.iterdir()} == {
        "a.txt": "Good text."
    }
    assert library.sync(library.uploads).unchanged == 1


def test_texts_are_documents_and_replace_those_of_the_same_name(library: Library) -> None:
    first = library.add("The gate is locked at ten.", name="note", title="Gate", date="2024-05-01")
    assert (first.path, first.title, first.date, first.file) == ("note", "Gate", "2024-05-01", None)
    second = library.add("The gate is locked at nine.", name="note")
    notes = library.documents(Filter(type="text", pattern="note"))
    assert [info.id for info in notes] == [second.id]
    assert library.find("nine").total == 2  # and "before nine" in garden.md
    assert library.text(first.id) == "The gate is locked at ten."  # until it is compacted
    library.compact()
    with pytest.raises(DocumentNotFoundError):
        library.document(first.id)


def test_of_two_texts_with_one_name_the_last_counts(library: Library) -> None:
    texts = [("n", "The first text.", None, None), ("n", "The second text.", None, None)]
    library.add_texts(texts)
    assert [library.text(d.id) for d in library.documents(Filter(pattern="n"))] == [
        "The second text."
    ]
    assert library.find("first").total == 0


def test_texts_are_added_together_or_not_at_all(library: Library) -> None:
    before = stored(library)
    good = ("good", "A good text.", None, None)
    for bad in ("", " \n", "\ud800"):
        with pytest.raises(FormatError, match="bad"):
            library.add_texts([good, ("bad", bad, None, None)])
    assert (stored(library), library.generation) == (before, 1)


def test_a_removed_file_stays_out_until_it_is_synced_by_its_own_path(
    library: Library, folder: Path
) -> None:
    (gone,) = library.remove("lift.txt")
    assert gone.path == "lift.txt"
    assert (folder / "lift.txt").exists()
    assert library.find("caretaker").total == 0
    write(folder, {"lift.txt": "The caretaker moved out."})
    report = library.sync(folder)
    assert (report.changed, report.ignored, report.unchanged) == (False, 1, 3)
    report = library.sync(folder / "lift.txt")
    assert (report.added, report.unchanged) == (("lift.txt",), 3)
    assert library.sync(folder).unchanged == 4
    assert len(library.sources()) == 1


def test_a_folder_that_was_removed_comes_back_when_it_is_synced_by_its_path(
    library: Library, folder: Path
) -> None:
    assert len(library.remove("minutes")) == 2
    assert library.sync(folder).unchanged == 2
    assert library.sync(folder / "minutes").added == ("minutes/2023.txt", "minutes/2024.txt")


def test_a_document_can_be_removed_by_number_place_and_name(library: Library, folder: Path) -> None:
    by_path = {info.path: info for info in library.documents()}
    assert library.remove(by_path["garden.md"].id) == [by_path["garden.md"]]
    assert library.remove(folder / "lift.txt") == [by_path["lift.txt"]]
    assert library.remove("2023.txt") == [by_path["minutes/2023.txt"]]
    for what in ("", "nothing.txt", 999, by_path["garden.md"].id):
        with pytest.raises(DocumentNotFoundError):
            library.remove(what)
    assert [info.path for info in library.documents()] == ["minutes/2024.txt"]


def test_a_removed_source_is_forgotten_and_can_be_synced_anew(
    library: Library, folder: Path
) -> None:
    number = library.documents()[0].id
    library.remove("garden.md")
    assert len(library.remove(folder)) == 3
    assert (library.sources(), library.documents()) == ([], [])
    assert library.document(number).file is None
    assert len(library.sync(folder).added) == 4
    library.compact()
    assert library.sync(folder).unchanged == 4


def test_removed_uploads_are_deleted_from_the_library(library: Library) -> None:
    write(library.uploads, {"a.txt": "The gate.", "sub/b.txt": "The fence.", "c.txt": "The wall."})
    assert len(library.sync(library.uploads).added) == 3
    library.remove("a.txt")
    library.remove("sub/b.txt")
    assert library.sync(library.uploads).unchanged == 1
    (library.uploads / "c.txt").unlink()
    assert library.sync(library.uploads).removed == ("c.txt",)


# -- what comes back is what stands in the file ---------------------------------------------------

NASTY = (
    "emoji 👩‍👩‍👧 and 🙂.",
    "combining e\u0301a\u0308 marks.",
    "שלום עולם, \u202eright to left\u202c.",
    "soft\u00adhyphen and zero\u200bwidth.",
    "first half-\r\nsecond half.",
    "lines\u2028apart\u2029here.",
    "tab\there, form\x0cfeed, vertical\x0btab.",
    "ﬁne ligatures, ½ and №5.",
    "lift inspection in May.",
    "\ufeffmark inside.",
    "control \x1b[31mred\x1b[0m.",
)
SEPARATORS = (" ", "\n", "\r\n", "\n\n", "\r\n\r\n", "\u2028", "\x0c")


def nasty_text(chance: random.Random) -> str:
    """Return parts of NASTY and characters from all over Unicode, NUL and surrogates left out."""
    parts = []
    for _ in range(chance.randrange(5, 60)):
        if chance.random() < 0.7:
            parts.append(chance.choice(NASTY))
        else:
            top = chance.choice([0x250, 0xD800, 0x110000])
            codes = (chance.randrange(0xA0, top) for _ in range(chance.randrange(1, 12)))
            parts.append("".join(chr(c) for c in codes if not 0xD800 <= c < 0xE000))
        parts.append(chance.choice(SEPARATORS))
    return "".join(parts)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 9))]
)
def test_every_span_is_what_stands_in_the_file(tmp_path: Path, seed: int) -> None:
    """A thousand sentences a seed, passages and quotes, against the decoded bytes."""
    chance = random.Random(seed)
    folder = write(tmp_path / "docs", {f"{n}.txt": nasty_text(chance) for n in range(60)})
    with new_library(tmp_path / "docs.quoth", folder) as library:
        texts = {
            info.id: (folder / info.path).read_bytes().decode("utf-8").removeprefix("\ufeff")
            for info in library.documents()
        }
        assert len(texts) == 60
        spans = list(sentences(library))
        assert len(spans) > 1000
        for number, start, end in spans:
            assert library.text(number)[start:end] == texts[number][start:end] != ""
        chat = Chat(library)
        quotes = 0
        for question in ("When is the lift inspection?", "soft hyphen", "What is red?", "№5", "🙂"):
            for passage in Retriever(library).retrieve(question, k=20):
                text = texts[passage.document.id]
                assert passage.text == text[passage.start : passage.end]
                for sentence in passage.sentences:
                    assert sentence.text == text[sentence.start : sentence.end]
            for quote in chat.ask(question, whole=True).quotes:
                assert quote.text == texts[quote.document.id][quote.start : quote.end]
                quotes += 1
        assert quotes > 0


# -- the real model -----------------------------------------------------------------------------


@pytest.fixture
def real(folder: Path, tmp_path: Path, encoder: Encoder) -> Iterator[Library]:
    with Library.open(tmp_path / "real.quoth", create=True, encoder=encoder) as opened:
        opened.sync(folder)
        yield opened


def test_the_default_model_answers_in_the_words_of_the_documents(real: Library) -> None:
    chat = Chat(real)
    answer = chat.ask("How often is the lift inspected?")
    assert answer.quotes[0].text == (
        "The lift is inspected every twelve months by an engineer from outside."
    )
    assert answer.generation == 1
    assert Retriever(real).retrieve("What was the price of the new boiler?")[0].citation.path == (
        "minutes/2024.txt"
    )


def test_the_same_question_gets_the_same_passages_after_compacting_and_reopening(
    real: Library, folder: Path, encoder: Encoder
) -> None:
    write(folder, {"lift.txt": HOUSE["lift.txt"].replace("twelve", "six")})
    real.sync(folder)
    expected = answers(real, QUESTIONS)
    real.compact()
    assert answers(real, QUESTIONS) == expected
    real.rebuild()
    with Library.open(real.path, read_only=True, encoder=encoder) as again:
        assert answers(again, QUESTIONS) == expected


def test_the_status_counts_what_is_alive_and_what_is_not(library: Library, folder: Path) -> None:
    write(folder, {"lift.txt": "The lift was taken out."})
    library.sync(folder)
    status = library.status()
    assert (status.documents, status.dead_documents, status.generation) == (4, 1, 2)
    assert status.types == {"text": 3, "markdown": 1}
    assert (status.model, status.fingerprint) == ("hashed words", "hash of hashed words")
    assert status.sentences == sum(1 for _ in sentences(library))
    assert library.compact() != 0
    assert library.status().dead_documents == 0
