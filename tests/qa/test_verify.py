"""Saved answers are compared with the library and the files, by the files' hashes first."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small import HOUSE, HashEncoder, new_library, write

from index import Library
from index.content import decode_content, encode_content
from index.errors import SourceError
from index.types import Citation
from qa.chats import Chats, StoredTurn
from qa.chats.kept import kept_claims
from qa.chats.recall import references
from qa.export import ExportedTurn, conversation_to_json
from qa.render import to_json, to_plain
from qa.saved import Claim, claims_in
from qa.types import Answer, Disagreement, Quote
from qa.verify import Verdict, Verifier

LIFT = "The lift is inspected every twelve months by an engineer from outside."
BOILER = "The owners agreed to replace the boiler in June 2024."
STAIRS = "The owners agreed to paint the stairwell in May 2023."
UPLOAD = "Marmots whistle when an eagle is near."


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    folder = write(tmp_path / "house", HOUSE)
    with new_library(tmp_path / "house.quoth", folder) as opened:
        opened.add(write(tmp_path, {"marmots.txt": UPLOAD}) / "marmots.txt")
        opened.add("Otters sleep on their backs.", name="otters")
        yield opened


def quote(library: Library, words: str) -> Quote:
    """Return the quote of a sentence, as an answer has it."""
    (hit,) = [hit for hit in library.find(f'"{words}"') if hit.text == words]
    info = library.document(hit.citation.document)
    return Quote(
        document=info, start=hit.start, end=hit.end, text=hit.text, citation=hit.citation, score=1.0
    )


def answer(library: Library, *sentences: str) -> Answer:
    quotes = tuple(quote(library, words) for words in sentences)
    return Answer(question="What?", searched_for="What?", quotes=quotes, generation=1)


def saved(library: Library, file: Path, given: Answer) -> Path:
    """Export an answer as the page does."""
    hashes = {each.document.id: library.file_hash(each.document.id) for each in given.quotes}
    files = {number: digest for number, digest in hashes.items() if digest}
    turn = ExportedTurn(question=given.question, answer=given, files=files)
    file.write_text(conversation_to_json("", [turn]), "utf-8")
    return file


@pytest.fixture
def exported(library: Library, tmp_path: Path) -> Path:
    given = answer(library, LIFT, BOILER, UPLOAD, "Otters sleep on their backs.")
    return saved(library, tmp_path / "saved.json", given)


def verdicts(library: Library, file: Path) -> list[Verdict]:
    return list(Verifier(library).quotes(claims_in(file)))


def told(library: Library, file: Path) -> list[tuple[str, str, str]]:
    """Return status, path and detail of every quote."""
    return [(each.status, each.path, each.detail) for each in verdicts(library, file)]


def edited(file: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the saved answer as whoever has the file can."""
    plain = json.loads(file.read_text("utf-8"))
    change(plain["turns"][0]["answer"])
    file.write_text(json.dumps(plain), "utf-8")
    return file


# -- quotes ----------------------------------------------------------------------------------------


def test_what_stands_there_and_whose_file_is_the_same_is_verified(
    library: Library, exported: Path
) -> None:
    assert told(library, exported) == [
        ("verified", "lift.txt", ""),
        ("verified", "minutes/2024.txt", ""),
        ("verified", "marmots.txt", ""),
        ("verified", "otters", "It was added as a text."),
    ]


def test_it_works_where_the_library_and_its_documents_were_moved(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    library.close()
    shutil.move(library.path, tmp_path / "elsewhere.quoth")
    os.rename(tmp_path / "house", tmp_path / "home")
    with Library.open(tmp_path / "elsewhere.quoth", encoder=HashEncoder()) as moved:
        lift, _, marmots, otters = verdicts(moved, exported)
        assert (lift.status, marmots.status, otters.status) == ("absent", "verified", "verified")
        assert lift.detail == (
            f"{tmp_path / 'house'} is not there; if it lies elsewhere now, say so with "
            "`quoth relocate`."
        )
        moved.relocate({tmp_path / "house": tmp_path / "home"})
        assert {each.status for each in verdicts(moved, exported)} == {"verified"}


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        (f"First another line.\n\n{LIFT.replace(' twelve ', chr(10) + 'twelve  ')}", True),
        ("The lift was torn out.", False),
    ],
)
def test_a_file_that_changed_is_told_and_whether_the_words_still_stand_in_it(
    library: Library, exported: Path, tmp_path: Path, text: str, stands: bool
) -> None:
    write(tmp_path / "house", {"lift.txt": text})
    lift, *others = verdicts(library, exported)
    what = "these words still stand in it" if stands else "these words do not stand in it any more"
    assert (lift.status, lift.stands) == ("changed", stands)
    assert lift.detail == f"The source has changed since it was indexed; {what}."
    assert {each.status for each in others} == {"verified"}
    library.sync(tmp_path / "house")
    for _ in range(2):  # with the earlier text still in the store, and without
        lift, *others = verdicts(library, exported)
        assert (lift.status, lift.stands) == ("changed", stands)
        assert lift.detail == f"The source has changed since it was quoted; {what}."
        assert {each.status for each in others} == {"verified"}
        library.compact()


def test_a_file_that_changed_and_cannot_be_read_is_told(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "house" / "lift.txt").write_bytes(b"")
    (lift, *_) = verdicts(library, exported)
    assert (lift.status, lift.stands) == ("changed", None)
    assert lift.detail == (
        "The file has changed since it was indexed, and cannot be read (empty file)."
    )


def test_a_file_that_was_only_touched_is_the_same(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    file = tmp_path / "house" / "lift.txt"
    file.unlink()
    write(tmp_path / "house", {"lift.txt": HOUSE["lift.txt"]})
    os.utime(file, (1, 1))
    assert {each.status for each in verdicts(library, exported)} == {"verified"}


def test_a_link_in_the_place_of_a_file_is_another_file(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    file = tmp_path / "house" / "lift.txt"
    file.rename(tmp_path / "hidden.txt")
    file.symlink_to(tmp_path / "hidden.txt")
    assert verdicts(library, exported)[0].status == "changed"


def test_a_file_that_is_gone_and_a_document_that_was_removed_are_told(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "house" / "lift.txt").unlink()
    library.remove("minutes/2024.txt", "marmots.txt")
    gone = "Its document is no longer in the library."
    assert told(library, exported)[:3] == [
        ("gone", "lift.txt", "The file is no longer there; `quoth sync` removes it."),
        ("removed", "minutes/2024.txt", gone),
        ("removed", "marmots.txt", gone),
    ]


def test_a_document_under_another_name_is_found_by_its_text(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "house" / "lift.txt").rename(tmp_path / "house" / "elevator.txt")
    library.sync(tmp_path / "house")
    library.compact()
    (lift, *others) = told(library, exported)
    assert lift == (
        "verified",
        "elevator.txt",
        "The saved answer calls the document lift.txt; it is now called elevator.txt.",
    )
    assert {detail for _, _, detail in others} == {"", "It was added as a text."}


NOT_THERE = "These are not the words of the document at this place."
ELSEWHERE = "The words stand in the document, but at another place than the quote says."


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"text": LIFT.replace("twelve", "six")}, NOT_THERE),
        ({"text": LIFT[:-1]}, ELSEWHERE),
        ({"start": 1}, ELSEWHERE),
        ({"start": -70}, ELSEWHERE),
        ({"end": 10**9}, ELSEWHERE),
        ({"start": 10**9, "end": 10**9 + 5}, ELSEWHERE),
        ({"start": 7, "end": 7, "text": ""}, NOT_THERE),
    ],
)
def test_a_quote_that_was_forged_is_told(
    library: Library, exported: Path, change: dict[str, object], detail: str
) -> None:
    edited(exported, lambda plain: plain["quotes"][0].update(change))
    lift, *others = verdicts(library, exported)
    assert (lift.status, lift.detail) == ("differs", detail)
    assert {each.status for each in others} == {"verified"}


def test_a_forged_name_of_a_document_is_never_printed_as_its_own(
    library: Library, exported: Path
) -> None:
    edited(exported, lambda plain: plain["quotes"][0].update(path="law/signed.pdf"))
    lift, *others = verdicts(library, exported)
    assert (lift.status, lift.path) == ("verified", "lift.txt")
    assert lift.detail == (
        "The saved answer calls the document law/signed.pdf; it is now called lift.txt."
    )
    assert "" in {each.detail for each in others}


def test_of_two_documents_with_one_text_each_has_its_name(library: Library, tmp_path: Path) -> None:
    library.add(write(tmp_path, {"copy.txt": HOUSE["lift.txt"]}) / "copy.txt")
    (copied,) = [info for info in library.documents() if info.path == "copy.txt"]
    claim = quote(library, BOILER).citation
    claims = [
        Claim(
            text=LIFT,
            document=number,
            path=path,
            text_hash=copied.text_hash,
            start=0,
            end=len(LIFT),
        )
        for number, path in ((claim.document, "lift.txt"), (0, "copy.txt"), (copied.id, ""))
    ]
    found = list(Verifier(library).quotes(claims))
    assert [each.path for each in found] == ["lift.txt", "copy.txt", "copy.txt"]
    assert {each.detail for each in found} == {""}


WATERED = "Beds are watered before nine in the morning."


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"page": 3}, "The words stand in a document without pages, not on page 3."),
        ({"headings": ["Forbidden"]}, "not under the headings that the saved answer has."),
        ({"context": "It is forbidden:"}, "not in the table or list that the saved answer has."),
    ],
)
def test_what_is_said_around_true_words_is_compared_too(
    library: Library, tmp_path: Path, change: dict[str, object], detail: str
) -> None:
    file = saved(library, tmp_path / "s.json", answer(library, WATERED))
    (true,) = verdicts(library, file)
    assert (true.status, true.detail) == ("verified", "")
    edited(file, lambda plain: plain["quotes"][0].update(change))
    (forged,) = verdicts(library, file)
    assert forged.status == "differs"
    assert forged.detail.endswith(detail)


def test_the_page_of_a_quote_is_computed_from_the_document(
    library: Library, tmp_path: Path
) -> None:
    from heard import DOCUMENTS

    info = library.add(DOCUMENTS / "building" / "lift-maintenance-policy.pdf")
    with library.searching() as searcher:
        row = searcher.passages_of(info.id)[-1]
    words = library.text(info.id)[row.sentences[-1].start : row.sentences[-1].end]
    file = saved(library, tmp_path / "s.json", answer(library, words))
    (true,) = verdicts(library, file)
    assert (true.status, true.page, info.pages) == ("verified", 5, 5)
    edited(file, lambda plain: plain["quotes"][0].update(page=7))
    (forged,) = verdicts(library, file)
    assert (forged.status, forged.page) == ("differs", 5)
    assert forged.detail == "The words stand on page 5, not on page 7."
    edited(file, lambda plain: plain["quotes"][0].update(page=None))
    assert verdicts(library, file)[0].page == 5


def test_a_fragment_of_a_sentence_is_told(library: Library, exported: Path) -> None:
    """What was cut away may have turned its meaning round."""
    cut = LIFT.index("is inspected")

    def cut_away(plain: dict[str, Any]) -> None:
        quote = plain["quotes"][0]
        quote.update(start=quote["start"] + cut, text=LIFT[cut:])

    edited(exported, cut_away)
    (lift, *_) = verdicts(library, exported)
    assert lift.status == "verified"
    assert lift.detail == "These are no whole sentences: read what stands around them."
    # Nor does it help to say that another reader has read the text.
    edited(exported, lambda plain: plain["quotes"][0].update(text_hash="0" * 64, document=10**6))
    (lift, *_) = verdicts(library, exported)
    assert lift.detail.endswith("These are no whole sentences: read what stands around them.")


def test_every_other_place_of_a_quote_is_compared(library: Library, tmp_path: Path) -> None:
    write(tmp_path / "house", {"notice.txt": f"Notice.\n\n{LIFT.upper()}"})
    library.sync(tmp_path / "house")
    there = quote(library, LIFT.upper())
    given = replace(quote(library, LIFT), also_at=(there.citation,))
    whole = Answer(question="What?", searched_for="What?", quotes=(given,), generation=1)
    file = saved(library, tmp_path / "s.json", whole)
    assert told(library, file) == [("verified", "lift.txt", ""), ("verified", "notice.txt", "")]
    edited(file, lambda plain: plain["quotes"][0]["also_at"][0].update(start=0, end=7))
    assert told(library, file)[1] == ("differs", "notice.txt", ELSEWHERE)
    asked = to_json({"kind": "answer", **to_plain(whole)})
    write(tmp_path, {"asked.jsonl": asked})
    assert len(claims_in(tmp_path / "asked.jsonl")) == 2


def test_a_forged_hash_does_not_make_a_quote_true(library: Library, exported: Path) -> None:
    def forge(plain: dict[str, Any]) -> None:
        plain["quotes"][0].update(text="The lift is never inspected.", text_hash="0" * 64)

    edited(exported, forge)
    (lift, *_) = verdicts(library, exported)
    assert lift.status == "reread"
    assert lift.detail.endswith("another version of Quoth read it, or the quote was altered.")


def test_a_forged_quote_of_an_earlier_text_is_told(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    write(tmp_path / "house", {"lift.txt": "The lift was torn out."})
    library.sync(tmp_path / "house")
    edited(exported, lambda plain: plain["quotes"][0].update(text="The lift was torn out."))
    (lift, *_) = verdicts(library, exported)
    assert (lift.status, lift.detail) == ("differs", NOT_THERE)


def reread(library: Library, path: str, text: str) -> None:
    """Give the library a text as a newer reader would make it of the same file."""
    folder = library.path.parent / "house"
    before = (folder / path).read_bytes()
    write(folder, {path: text})
    library.sync(folder, full=True)
    write(folder, {path: before})
    with library._store.writing() as db:
        digest = hashlib.sha256(before).hexdigest()
        db.execute("UPDATE files SET hash = ? WHERE path = ?", (digest, path))


def test_a_better_reader_is_no_change_of_the_source(library: Library, exported: Path) -> None:
    """The file is the same to the last byte; its text is not."""
    reread(library, "lift.txt", f"Lift policy\n\n{HOUSE['lift.txt']}")
    reread(library, "minutes/2024.txt", "Minutes. The owners agreed to re- place the boiler.")
    lift, boiler, *_ = verdicts(library, exported)
    assert (lift.status, lift.detail) == (
        "verified",
        "The file is unchanged; its text is read in another way now.",
    )
    assert (boiler.status, boiler.stands) == ("reread", None)
    assert boiler.detail.startswith("The file is unchanged, but these words do not stand in")


def test_what_is_stored_is_not_believed_where_it_is_damaged(
    library: Library, exported: Path
) -> None:
    with closing(sqlite3.connect(library.path / "store.db")) as db, db:
        (content,) = db.execute("SELECT content FROM documents WHERE path='lift.txt'").fetchone()
        document = decode_content(content)
        forged = replace(document, text=document.text.replace("twelve", "eleven"))
        assert len(forged.text) == len(document.text)
        db.execute(
            "UPDATE documents SET content = ? WHERE path = 'lift.txt'", (encode_content(forged),)
        )
    with Library.open(library.path, encoder=HashEncoder()) as again:
        lift, *others = verdicts(again, exported)
        assert lift.status == "damaged"
        assert "damaged" in lift.detail
        assert {each.status for each in others} == {"verified"}
        found = {each.path: each.status for each in Verifier(again).documents()}
        assert found["lift.txt"] == "damaged"


# -- what is read ----------------------------------------------------------------------------------


def test_both_sides_of_a_disagreement_and_what_is_nearest_are_compared_too(
    library: Library, tmp_path: Path
) -> None:
    one, other = quote(library, BOILER), quote(library, STAIRS)
    given = Answer(
        question="What?",
        searched_for="What?",
        quotes=(one,),
        disagreements=(Disagreement(one, other, "the owners"),),
    )
    file = saved(library, tmp_path / "s.json", given)
    assert [claim.text for claim in claims_in(file)] == [BOILER, STAIRS]
    edited(file, lambda plain: plain["disagreements"][0]["second"].update(text="Never."))
    assert [each.status for each in verdicts(library, file)] == ["verified", "differs"]


def test_what_ask_prints_as_json_can_be_verified(library: Library, tmp_path: Path) -> None:
    lines = [
        to_json({"kind": "answer", **to_plain(answer(library, words))}) for words in (LIFT, BOILER)
    ]
    write(tmp_path, {"asked.jsonl": "\n".join(lines) + "\n"})
    assert [claim.text for claim in claims_in(tmp_path / "asked.jsonl")] == [LIFT, BOILER]
    assert {each.status for each in verdicts(library, tmp_path / "asked.jsonl")} == {"verified"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"# An answer", "it has another form"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"[1, 2]", "it is no JSON object"),
        (b'{"kind": "passages"}', "it is another kind of JSON"),
        (b'{"quoth": 1, "turns": 7, "documents": []}', "it has another form"),
        (b'{"quoth": 1, "turns": [{"answer": {}}], "documents": []}', "it has another form"),
        (b"[" * 100_000, "it has another form"),
    ],
)
def test_a_file_without_answers_is_told(tmp_path: Path, data: bytes, reason: str) -> None:
    write(tmp_path, {"s.json": data})
    with pytest.raises(SourceError) as error:
        claims_in(tmp_path / "s.json")
    assert f"holds no answers that can be checked: {reason}." in str(error.value)


@pytest.mark.parametrize("field", ["document", "start", "end", "page"])
def test_a_number_that_is_too_large_is_told(exported: Path, field: str) -> None:
    edited(exported, lambda plain: plain["quotes"][0].update({field: 10**20}))
    with pytest.raises(SourceError, match="checked: a number in it is too large"):
        claims_in(exported)


@pytest.mark.parametrize(
    "change",
    [{"text": 7}, {"start": "0"}, {"start": True}, {"document": None}, {"path": []}, {"page": "x"}],
)
def test_values_of_another_kind_are_told(
    library: Library, exported: Path, change: dict[str, object]
) -> None:
    edited(exported, lambda plain: plain["quotes"][0].update(change))
    with pytest.raises(SourceError, match="holds no answers that can be checked"):
        claims_in(exported)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be read \(No such file or directory\)"):
        claims_in(tmp_path / "none.json")


def test_the_question_of_a_quote_is_known(library: Library, exported: Path) -> None:
    assert {each.question for each in verdicts(library, exported)} == {"What?"}


# -- documents and conversations -------------------------------------------------------------------


def test_every_document_is_compared_with_its_file(library: Library, tmp_path: Path) -> None:
    verifier = Verifier(library)
    assert [each.status for each in verifier.documents()] == ["verified"] * 6
    write(tmp_path / "house", {"lift.txt": "Another text."})
    (tmp_path / "house" / "garden.md").unlink()
    found = {each.path: each for each in Verifier(library).documents()}
    assert found["lift.txt"].status == "changed"
    assert found["lift.txt"].detail == (
        "The file has changed since it was indexed; `quoth sync` reads it again."
    )
    assert found["garden.md"].status == "gone"
    assert found["marmots.txt"].status == "verified"
    assert found["otters"].detail == "It was added as a text."


def test_kept_conversations_are_compared_by_the_places_they_hold(
    library: Library, tmp_path: Path
) -> None:
    chats = Chats.open(library.path)
    for words in (LIFT, UPLOAD):
        given = references(library, answer(library, words))
        chats.append("ann", "c" * 20, StoredTurn(question="What?", answer=given))
    chats.append("ann", "c" * 20, StoredTurn(question="Hm?", problem="Too short."))
    chats.close()
    write(tmp_path / "house", {"lift.txt": f"New. {LIFT}"})
    kept = kept_claims(library.path)
    assert [len(claims or ()) for _, claims in kept] == [1, 1, 0]
    said = [v for _, claims in kept for v in Verifier(library).quotes(claims or ())]
    assert [(each.status, each.stands, each.path, each.text) for each in said] == [
        ("changed", True, "lift.txt", LIFT),
        ("verified", None, "marmots.txt", UPLOAD),
    ]
    with closing(sqlite3.connect(library.path / "chats.db")) as db, db:
        db.execute("UPDATE turns SET answer = replace(answer, '0', '1') WHERE id = 1")
    assert [claims is None for _, claims in kept_claims(library.path)] == [True, False, False]


def test_a_place_alone_is_not_verified_where_its_document_is_gone(library: Library) -> None:
    citation: Citation = quote(library, LIFT).citation
    claim = Claim(
        text=None,
        document=citation.document,
        path="",
        text_hash=citation.text_hash,
        start=citation.start,
        end=citation.end,
    )
    assert next(Verifier(library).quotes([claim])).text == LIFT
    library.remove("lift.txt")
    library.compact()
    (verdict,) = Verifier(library).quotes([claim])
    assert (verdict.status, verdict.text) == ("removed", "")
