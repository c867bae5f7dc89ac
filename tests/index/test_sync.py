"""A sync is a difference within one source: nothing else is read, embedded or removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Filter, Library
from index.errors import SourceError
from index.reports import Progress
from index.store import Store
from qa import Chat, Retriever

PARTS = (
    "The lift is inspected every year.",
    "Dogs are kept on a lead in the garden.",
    "# Heating",
    "Error E-4304 means that the pressure is too low.",
    "- The hose is rolled up after use.\n- Beds are watered in the morning.",
    "The owners agreed to paint the stairwell in May.\r\n\r\nIt was painted by Ms Hale.",
    "🙂 Café naı\u0308ve \u202eabc\u202c soft\u00adhyphen.\u2028Next line.",
)
texts = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("\n\n".join)
names = st.sampled_from(["a.txt", "b.md", "sub/a.txt", "sub/deep/c.txt", "d.txt"])


class _Histories(RuleBasedStateMachine):
    """Files come, change, move and go; syncs happen in between."""

    make: Callable[[], Path]

    @initialize()
    def begin(self) -> None:
        self.path = type(self).make()
        # One file stays: an empty folder removes nothing.
        self.folder = write(self.path / "docs", {"stays.txt": PARTS[0]})
        self.library = new_library(self.path / "docs.quoth", self.folder)

    @rule(name=names, text=texts)
    def put(self, name: str, text: str) -> None:
        write(self.folder, {name: text})

    @rule(one=names, other=names)
    def move(self, one: str, other: str) -> None:
        if (self.folder / one).exists():
            (self.folder / other).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / one).replace(self.folder / other)

    @rule(name=names)
    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    @rule()
    def sync(self) -> None:
        self.library.sync(self.folder, yes=True)

    @rule()
    def compact(self) -> None:
        self.library.compact()

    def teardown(self) -> None:
        if not hasattr(self, "library"):
            return
        self.library.sync(self.folder, yes=True)
        with new_library(self.path / "fresh.quoth", self.folder) as fresh:
            expected = stored(fresh), answers(fresh, QUESTIONS)
        assert (stored(self.library), answers(self.library, QUESTIONS)) == expected
        self.library.compact()
        assert (stored(self.library), answers(self.library, QUESTIONS)) == expected
        self.library.rebuild()
        assert (stored(self.library), answers(self.library, QUESTIONS)) == expected
        self.library.rebuild(encoder=HashEncoder())
        assert (stored(self.library), answers(self.library, QUESTIONS)) == expected
        self.library.close()


def _check_histories(tmp_path_factory: pytest.TempPathFactory, examples: int, steps: int) -> None:
    class Histories(_Histories):
        make = staticmethod(lambda: tmp_path_factory.mktemp("history"))

    run_state_machine_as_test(
        Histories, settings=settings(max_examples=examples, stateful_step_count=steps)
    )


def test_any_history_gives_what_a_fresh_library_gives(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The same documents, sentences and answers, also after compacting and rebuilding."""
    _check_histories(tmp_path_factory, examples=5, steps=10)


@pytest.mark.slow
def test_any_long_history_gives_what_a_fresh_library_gives(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    _check_histories(tmp_path_factory, examples=60, steps=25)


def test_the_first_sync_reports_what_it_added(folder: Path, tmp_path: Path) -> None:
    steps: list[Progress] = []
    with Library.open(tmp_path / "new.quoth", create=True, encoder=HashEncoder()) as library:
        report = library.sync(folder, progress=steps.append)
        assert report.added == tuple(sorted(HOUSE))
        assert report.generation == library.generation == 1
        assert report.sentences == library.status().sentences == 13
        assert report.embedded == len(set(library.encoder.encoded))  # type: ignore[attr-defined]
    assert [step.sentences for step in steps] == sorted(step.sentences for step in steps)
    assert steps[-1].files == 4


def test_nothing_changed_embeds_nothing_and_publishes_nothing(
    library: Library, folder: Path
) -> None:
    for full in (False, True):
        report = library.sync(folder, full=full)
        assert (report.unchanged, report.embedded, report.changed) == (4, 0, False)
        assert report.generation == library.generation == 1


def test_without_a_change_the_model_is_not_even_loaded(folder: Path, tmp_path: Path) -> None:
    """The recorded model does not exist: loading it would fail."""
    new_library(tmp_path / "a.quoth", folder).close()
    with Library.open(tmp_path / "a.quoth") as library:
        assert library.sync(folder).unchanged == 4
        assert library.sync(folder, dry_run=True).unchanged == 4


def test_one_changed_sentence_embeds_that_sentence_and_its_passage(
    library: Library, folder: Path
) -> None:
    text = HOUSE["lift.txt"].replace("twelve", "six")
    write(folder, {"lift.txt": text})
    report = library.sync(folder)
    assert (report.updated, report.unchanged) == (("lift.txt",), 3)
    assert report.embedded == 2
    assert library.find("twelve").total == 0
    assert library.find("six").total == 1


def test_a_renamed_file_embeds_nothing_and_is_cited_by_its_new_path(
    library: Library, folder: Path
) -> None:
    (folder / "lift.txt").rename(folder / "minutes" / "elevator.txt")
    report = library.sync(folder)
    assert report.renamed == (("lift.txt", "minutes/elevator.txt"),)
    assert (report.embedded, report.added, report.removed) == (0, (), ())
    (best, *_) = Retriever(library).retrieve("How often is the lift inspected?")
    assert best.citation.path == "minutes/elevator.txt"
    assert {info.path for info in library.documents()} == {
        "garden.md",
        "minutes/2023.txt",
        "minutes/2024.txt",
        "minutes/elevator.txt",
    }


def test_a_touched_file_is_unchanged(library: Library, folder: Path) -> None:
    os.utime(folder / "lift.txt")
    report = library.sync(folder)
    assert (report.unchanged, report.embedded, report.changed) == (4, 0, False)


def test_an_edit_right_after_a_sync_is_found_although_size_and_time_are_the_same(
    library: Library, folder: Path
) -> None:
    file = folder / "lift.txt"
    before = file.stat()
    with file.open("r+") as opened:
        opened.write("The lIFT")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert library.sync(folder).updated == ("lift.txt",)


def test_full_finds_a_change_that_size_and_times_hide(library: Library, folder: Path) -> None:
    file = folder / "lift.txt"
    os.utime(file, (1e9, 1e9))
    library.sync(folder)
    with file.open("r+") as opened:
        opened.write("The lIFT")
    os.utime(file, (1e9, 1e9))
    assert library.sync(folder).unchanged == 4
    assert library.sync(folder, full=True).updated == ("lift.txt",)


def test_removed_files_are_gone_from_every_answer(library: Library, folder: Path) -> None:
    (folder / "lift.txt").unlink()
    assert library.sync(folder).removed == ("lift.txt",)
    assert library.find("caretaker").total == 0
    for passage in Retriever(library).retrieve("Who keeps the inspection book of the lift?"):
        assert passage.citation.path != "lift.txt"


def test_a_dry_run_tells_and_does_nothing(library: Library, folder: Path) -> None:
    write(folder, {"new.txt": "A new file.", "lift.txt": "Changed."})
    for name in ("garden.md", "minutes/2023.txt", "minutes/2024.txt"):
        (folder / name).unlink()
    before = stored(library)
    report = library.sync(folder, dry_run=True)
    assert (report.added, report.updated) == (("new.txt",), ("lift.txt",))
    assert report.removed == ("garden.md", "minutes/2023.txt", "minutes/2024.txt")
    assert str(report).startswith("would be: 1 added")
    assert (stored(library), library.generation) == (before, 1)


def _empty(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink()


def _gone(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def _only_unknown(folder: Path) -> None:
    _empty(folder)
    write(folder, {"a.xyz": "?"})


def _only_hidden(folder: Path) -> None:
    _empty(folder)
    write(folder, {".a.txt": "?"})


@pytest.mark.parametrize("loss", [_empty, _gone, _only_unknown, _only_hidden])
@pytest.mark.parametrize("yes", [False, True])
def test_a_source_without_any_file_removes_nothing(
    library: Library, folder: Path, loss: Callable[[Path], None], yes: bool
) -> None:
    """An unmounted disk looks like an empty folder."""
    before = stored(library)
    loss(folder)
    with pytest.raises(SourceError, match="nothing was changed"):
        library.sync(folder, yes=yes)
    assert (stored(library), library.generation) == (before, 1)


def test_removing_more_than_half_asks(library: Library, folder: Path) -> None:
    for name in ("garden.md", "minutes/2023.txt", "minutes/2024.txt"):
        (folder / name).unlink()
    with pytest.raises(SourceError, match=r"3 of 4 documents are gone .*--yes"):
        library.sync(folder)
    assert len(library.documents()) == 4
    report = library.sync(folder, yes=True)
    assert (len(report.removed), len(library.documents())) == (3, 1)


def test_removing_half_does_not_ask(library: Library, folder: Path) -> None:
    (folder / "garden.md").unlink()
    (folder / "lift.txt").unlink()
    assert library.sync(folder).removed == ("garden.md", "lift.txt")


def test_files_that_cannot_be_read_are_skipped_with_the_reason_and_tried_again(
    library: Library, folder: Path
) -> None:
    write(
        folder,
        {
            "empty.txt": "",
            "blank.txt": " \n\u200b\n",
            "binary.txt": b"\x00\x01\x02\xff" * 100,
            "broken.pdf": b"%PDF-1.7 broken",
            "broken.docx": b"PK no archive",
        },
    )
    for _ in range(2):
        report = library.sync(folder)
        reasons = {skip.path: skip.reason for skip in report.skipped}
        assert sorted(reasons) == [
            "binary.txt",
            "blank.txt",
            "broken.docx",
            "broken.pdf",
            "empty.txt",
        ]
        assert reasons["empty.txt"] == "empty file"
        assert reasons["blank.txt"] == "no text"
        assert reasons["binary.txt"] == "binary, not text"
        assert not any(skip.kept for skip in report.skipped)
        assert (report.changed, report.unchanged) == (False, 4)
    write(folder, {"empty.txt": "No longer empty."})
    assert library.sync(folder).added == ("empty.txt",)


def test_the_version_before_is_kept_when_a_changed_file_cannot_be_read(
    library: Library, folder: Path
) -> None:
    before = stored(library)
    write(folder, {"lift.txt": b"\x00\x01\x02\xff" * 100})
    for _ in range(2):
        report = library.sync(folder)
        assert [str(skip) for skip in report.skipped] == [
            "lift.txt: binary, not text (the version indexed before is kept)"
        ]
        assert stored(library) == before
    write(folder, {"lift.txt": HOUSE["lift.txt"]})
    assert library.sync(folder).unchanged == 4


def test_the_same_name_in_two_folders_is_two_documents(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", {"x/rules.txt": "Dogs are allowed.", "y/rules.txt": "No dogs."})
    with new_library(tmp_path / "a.quoth", folder) as library:
        assert [info.path for info in library.documents()] == ["x/rules.txt", "y/rules.txt"]
        for where, text in (("x", "Dogs are allowed."), ("y", "No dogs.")):
            found = Retriever(library).retrieve("dogs", where=Filter(folder=where))
            assert [passage.text for passage in found] == [text]


def test_a_sentence_that_two_documents_share_is_found_and_cited_in_both(tmp_path: Path) -> None:
    text = "The lift is inspected every twelve months by an engineer."
    folder = write(tmp_path / "a", {"one.txt": text, "two.txt": text, "other.txt": "Dogs bark."})
    with new_library(tmp_path / "a.quoth", folder) as library:
        found = Retriever(library).retrieve("How often is the lift inspected?", k=2)
        places = [c.path for passage in found for c in (passage.citation, *passage.also_at)]
        assert places[:2] == ["one.txt", "two.txt"]
        answer = Chat(library).ask("How often is the lift inspected?")
        assert [c.path for c in answer.quotes[0].also_at] == ["two.txt"]
        (folder / "one.txt").unlink()
        library.sync(folder)
        answer = Chat(library).ask("How often is the lift inspected?")
        assert (answer.quotes[0].citation.path, answer.quotes[0].also_at) == ("two.txt", ())


def test_a_library_inside_its_source_is_no_document(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", {"a.txt": "Dogs bark."})
    with Library.open(folder / "a.quoth", create=True, encoder=HashEncoder()) as library:
        report = library.sync(folder)
        assert (report.added, report.ignored) == (("a.txt",), 1)
        library.add("A note on lifts.", name="note")
        assert library.sync(folder).changed is False


def test_sources_that_overlap_are_refused(library: Library, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="lies in"):
        library.sync(folder / "minutes")
    with pytest.raises(SourceError, match="lies in"):
        library.sync(folder / "lift.txt")
    with pytest.raises(SourceError, match=r"holds .* remove that first"):
        library.sync(tmp_path)
    with pytest.raises(SourceError, match="the library itself"):
        library.sync(library.path)
    with pytest.raises(SourceError, match="nothing was changed"):
        library.sync(tmp_path / "nowhere")
    assert len(library.sources()) == 1


def test_a_sync_removes_only_within_its_source(library: Library, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"lift.txt": "Another lift.", "b.txt": "Another text."})
    library.sync(other)
    (other / "b.txt").unlink()
    assert library.sync(other).removed == ("b.txt",)
    assert [info.path for info in library.documents()].count("lift.txt") == 2
    assert len(library.documents()) == 5


def test_a_folder_given_by_a_link_is_the_folder(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert library.sync(tmp_path / "link").unchanged == 4
    assert len(library.remove(tmp_path / "link")) == 4
    assert library.sources() == []


def test_one_file_can_be_a_source(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "Dogs bark.", "b.txt": "Cats do not."})
    with new_library(tmp_path / "a.quoth", tmp_path / "a.txt") as library:
        (info,) = library.documents()
        assert (info.path, info.file) == ("a.txt", tmp_path / "a.txt")
        write(tmp_path, {"a.txt": "Dogs bark loudly."})
        assert library.sync(tmp_path / "a.txt").updated == ("a.txt",)
        (tmp_path / "a.txt").unlink()
        with pytest.raises(SourceError, match="nothing was changed"):
            library.sync(tmp_path / "a.txt")
        assert library.documents()[0].file == tmp_path / "a.txt"


def test_quothignore_takes_out_what_was_indexed(library: Library, folder: Path) -> None:
    write(folder, {".quothignore": "minutes/\n"})
    report = library.sync(folder)
    assert report.removed == ("minutes/2023.txt", "minutes/2024.txt")
    (folder / ".quothignore").unlink()
    report = library.sync(folder)
    assert (len(report.added), report.embedded) == (2, 0)


def test_what_an_older_version_made_is_made_again_without_embedding(
    library: Library, folder: Path
) -> None:
    before = stored(library)
    store = Store.open(library.path)
    with store.writing() as db:
        db.execute("UPDATE documents SET pipeline = '0' WHERE path = 'garden.md'")
    store.close()
    report = library.sync(folder)
    assert (report.updated, report.unchanged, report.embedded) == (("garden.md",), 3, 0)
    assert stored(library) == before


def test_a_thousand_small_files_unchanged_embed_nothing(tmp_path: Path) -> None:
    files = {f"{n % 10}/{n}.txt": f"File {n} is about lift {n * 7}." for n in range(1000)}
    folder = write(tmp_path / "many", files)
    with new_library(tmp_path / "many.quoth", folder) as library:
        for file in folder.rglob("*.txt"):
            os.utime(file, (1e9, 1e9))
        report = library.sync(folder)
        assert (report.unchanged, report.embedded, report.changed) == (1000, 0, False)
        report = library.sync(folder)
        assert (report.unchanged, report.embedded, report.changed) == (1000, 0, False)
