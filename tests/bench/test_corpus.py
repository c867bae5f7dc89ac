"""Documents for measuring speed: any number, always the same, hardly a sentence twice."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tiny import question, write_set

from bench.corpus import corpus, recombined
from bench.data import Text
from index.sentences import split_text

LEASE = Text(
    id="lease",
    title="Lease",
    text="The tenant is Carola Berg. She pays 640 euros to Hans Meier by 3 May. "
    "In winter, Carola heats with the boiler of Hans Meier, which burns little gas.",
)
MANUAL = Text(
    id="manual",
    title="Manual",
    text="Ask for Ottokar first. When the pump stops, open valve 12 and tell Ottokar about it.",
)


def test_text_is_recombined_with_names_words_and_numbers_of_others() -> None:
    once = list(recombined([LEASE, MANUAL], 10))
    assert once == list(recombined([LEASE, MANUAL], 10))
    assert len({text.id for text in once}) == len(once)
    texts = [text.text for text in once]
    assert "641 euros" in texts[0]
    assert "valve 13" in texts[1]
    assert "642 euros" in texts[2]
    assert len(set(texts)) == len(texts)
    known = set(f"{LEASE.text} {MANUAL.text}".replace(".", "").replace(",", "").split())
    for text in texts:
        assert {
            word for word in text.replace(".", "").replace(",", "").split() if word.isalpha()
        } <= known
    assert list(recombined([LEASE], 0)) == []


def test_a_name_is_exchanged_for_the_same_one_throughout_a_text() -> None:
    text = Text(id="a", title="A", text="We met Anna and Bruno. Then Anna left, and so did Bruno.")
    for one in islice(recombined([text, LEASE], 200), 40):
        words = one.text.replace(",", "").replace(".", "").split()
        if one.id.startswith("a "):
            assert words[2] == words[6]
            assert words[4] == words[11]


def test_the_documents_of_the_sets_come_first_and_then_as_many_as_are_missing(
    tmp_path: Path,
) -> None:
    more = [question(f"more {number}", f"Who keeps book {number}?") for number in range(6)]
    folder = write_set(tmp_path / "house", *more)
    few, many = corpus(folder, 3), corpus(folder, 60)
    assert many.texts[: len(few.texts)] == few.texts
    assert sum(len(list(split_text(text.text))) for text in many.texts) >= 60
    assert "Who keeps book 3?" in many.questions
