"""Passages are found by meaning and words, ranked the same way each time, and cited in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import log
from pathlib import Path

import numpy as np
import pytest
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, write

from index import Filter, Library
from index.errors import LibraryNotFoundError, QuestionError
from index.terms import index_terms
from index.types import BlockKind, Encoder
from qa import Passage, Retriever, RetrieverSettings, retrieve

K1, B = 1.5, 0.5  # of BM25: not imported, so that a change of them shows
WORDS = RetrieverSettings(words=1)
MEANING = RetrieverSettings(words=0)
ERRORS = {
    f"codes/{number}.txt": f"When the display shows E-{number}, the {part} is to be cleaned."
    for number, part in zip(
        range(4300, 4312),
        "pump filter valve nozzle sensor hose drum belt motor fan flap seal".split(),
        strict=True,
    )
}
TOWN = {
    **ERRORS,
    "pets.md": "# Parks\n\n## Animals\n\nDogs must be kept on a lead in all parks.\n\n"
    "## Hours\n\nThe gates open at seven in the morning.\n\n## Litter\n\nNobody leaves litter.\n",
    "canal.txt": "The council agreed to plant forty lime trees along the canal.",
    "street.txt": "Forty trees of another kind, and no lime, stand along the street and canals.",
}


def paragraph(first: str, salt: str, words: int = 45) -> str:
    """Return a paragraph long enough to be a passage of its own, of words used nowhere else."""
    return " ".join([first, *(f"{salt}{number}" for number in range(words - 1))]) + "."


def places(passages: list[Passage]) -> list[tuple[str, int]]:
    return [(passage.document.path, passage.start) for passage in passages]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    """Small documents and the default model."""
    path = tmp_path_factory.mktemp("town")
    with Library.open(path / "town.quoth", create=True, encoder=encoder) as library:
        library.sync(write(path / "town", TOWN))
        yield library


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Library]:
    with new_library(tmp_path / "empty.quoth") as library:
        yield library


# -- scores -----------------------------------------------------------------------------------


def bm25_share(library: Library, question: str) -> dict[tuple[str, int], float]:
    """Return BM25 of every passage by the formula, as a share of what the question could score."""
    with library.searching() as searcher:
        rows = [row for number in searcher.documents for row in searcher.passages_of(number)]
        paths = {number: info.path for number, info in searcher.documents.items()}
    terms = list(dict.fromkeys(index_terms(question)))
    mean = sum(len(row.terms) for row in rows) / len(rows)
    weights = {}
    for term in terms:
        n = sum(term in row.terms for row in rows)
        weights[term] = log(1 + (len(rows) - n + 0.5) / (n + 0.5)) * (1 if n else 0.5)
    most = sum(weight * (K1 + 1) for weight in weights.values())
    shares = {}
    for row in rows:
        counts = Counter(row.terms)
        score = 0.0
        for term, weight in weights.items():
            length = K1 * (1 - B + B * len(row.terms) / mean)
            score += weight * counts[term] * (K1 + 1) / (counts[term] + length)
        shares[paths[row.document], row.start] = score / most
    return shares


@pytest.mark.parametrize(
    "question",
    ["the lift", "inspected lift", "owners replace boiler", "hose of the zeppelin", "garden rules"],
)
def test_the_part_of_the_words_is_bm25(library: Library, question: str) -> None:
    expected = bm25_share(library, question)
    found = Retriever(library, WORDS).retrieve(question, k=50)
    assert {(p.document.path, p.start) for p in found if p.score} == {
        place for place, share in expected.items() if share
    }
    for passage in found:
        share = expected[passage.document.path, passage.start]
        assert passage.score == pytest.approx(share, abs=6e-5)
    assert max(expected.values()) > 0.1


@pytest.mark.parametrize("question", ["dogs on a lead", "The owners agreed.", "nothing like it"])
def test_the_part_of_the_meaning_is_the_mean_of_two_cosines(empty: Library, question: str) -> None:
    texts = {
        "one": ["Dogs are kept on a lead.", "The owners agreed to this.", "Cats are not."],
        "two": ["The owners agreed.", "Nothing else was said."],
    }
    empty.add_texts((name, " ".join(text), f"Paper {name}", None) for name, text in texts.items())
    model = HashEncoder()
    query = model.encode_query(question).astype(np.float64)

    def cosine(text: str) -> float:
        # Vectors are kept with half precision.
        return float(model.encode_query(text).astype(np.float16).astype(np.float64) @ query)

    expected = {}
    for name, sentences in texts.items():
        of_passage = cosine(f"Paper {name}. {' '.join(sentences)}")
        of_sentences = [cosine(sentence) for sentence in sentences]
        expected[name] = (of_passage + max(of_sentences)) / 2, of_sentences
    found = Retriever(empty, MEANING).retrieve(question)
    assert {p.document.path for p in found} == {"one", "two"}
    for passage in found:
        score, of_sentences = expected[passage.document.path]
        assert passage.score == pytest.approx(max(score, 0), abs=2e-4)
        cosines = [sentence.cosine for sentence in passage.sentences]
        assert cosines == pytest.approx(of_sentences, abs=2e-4)


def test_a_score_mixes_both_parts_by_its_weight(library: Library) -> None:
    question = "Who keeps the inspection book of the lift?"

    def scores(settings: RetrieverSettings) -> dict[tuple[str, int], float]:
        found = Retriever(library, settings).retrieve(question, k=50)
        return {(p.document.path, p.start): p.score for p in found}

    words, meaning = scores(WORDS), scores(MEANING)
    mixed = scores(RetrieverSettings(words=0.25))
    checked = [place for place in mixed if meaning[place] > 0]  # below 0 is shown as 0
    assert len(checked) >= 3
    for place in checked:
        assert mixed[place] == pytest.approx(
            0.25 * words[place] + 0.75 * meaning[place], abs=1.5e-4
        )


@pytest.mark.parametrize(
    "question", [*QUESTIONS, "dogs on a lead", "E-4304", '"lime trees along the canal"', "?!", "it"]
)
def test_scores_fall_from_the_first_and_have_four_places(town: Library, question: str) -> None:
    found = Retriever(town).retrieve(question, k=20)
    scores = [passage.score for passage in found]
    assert len(found) >= 5
    assert scores == sorted(scores, reverse=True)
    for passage in found:
        for score in (passage.score, *(sentence.score for sentence in passage.sentences)):
            assert 0 <= score <= 1
            assert score == round(score, 4)
        assert passage.best.score == max(sentence.score for sentence in passage.sentences)


@pytest.mark.parametrize(
    ("markdown", "question", "halved"),
    [
        ("# Rules for dogs\n\nThey wear a lead.\n", "dogs rules", "Rules for dogs"),
        ("| Dog | Fee |\n| --- | --- |\n| Poodle | 4 |\n", "dog fee", "Dog | Fee"),
    ],
)
def test_a_heading_and_a_header_count_half_since_the_answer_stands_below(
    tmp_path: Path, markdown: str, question: str, halved: str
) -> None:
    folder = write(tmp_path / "house", {"one.md": markdown})
    settings = RetrieverSettings(sentence_words=1)  # all words are in it: 1 before it is halved
    with new_library(tmp_path / "house.quoth", folder) as library:
        (passage,) = Retriever(library, settings).retrieve(question)
        heading = passage.sentences[0]
        assert (heading.text, heading.kind, heading.score) == (halved, "heading", 0.5)
        alone = write(tmp_path / "alone", {"one.md": "# Rules for dogs\n"})
        with new_library(tmp_path / "alone.quoth", alone) as other:
            assert Retriever(other, settings).retrieve("dogs rules")[0].best.score == 1


def test_the_same_question_gets_the_same_bytes(town: Library, tmp_path: Path) -> None:
    """Again, in another order of questions, and from the same documents in another library."""
    first = answers(town, QUESTIONS)
    assert answers(town, QUESTIONS[::-1]) == first[::-1]
    with Library.open(tmp_path / "again.quoth", create=True, encoder=town.encoder) as again:
        # Document after document, so that the numbers inside the library are others.
        for path in sorted(TOWN, reverse=True):
            write(tmp_path / "town", {path: TOWN[path]})
            again.sync(tmp_path / "town")
        assert repr(answers(again, QUESTIONS)) == repr(first)


def test_equals_are_ordered_by_path_and_position(empty: Library) -> None:
    texts = {
        "two": f"{paragraph('lift', 'p')}\n\n{paragraph('lift', 'q')}",
        "zoo": paragraph("lift", "s"),
        "one": paragraph("lift", "r"),
    }
    empty.add_texts((name, text, "Paper", None) for name, text in texts.items())
    found = Retriever(empty, WORDS).retrieve("lift", k=10)
    second = texts["two"].rindex("lift")
    assert places(found) == [("one", 0), ("two", 0), ("two", second), ("zoo", 0)]
    assert len({passage.score for passage in found}) == 1
    assert places(Retriever(empty, WORDS).retrieve("lift", k=2)) == [("one", 0), ("two", 0)]


# -- words that decide ------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(4300, 4312))
@pytest.mark.parametrize("spelling", ["E-{}", "What does E-{} mean?", "e{} is shown", "E‑{}"])
def test_a_code_is_found_among_its_neighbours(town: Library, number: int, spelling: str) -> None:
    best, second = Retriever(town).retrieve(spelling.format(number), k=2)
    assert best.document.path == f"codes/{number}.txt"
    assert best.score > second.score + 0.03


def test_a_quoted_phrase_wins_over_the_same_words_apart(town: Library) -> None:
    phrase = '"forty lime trees along the canal"'
    best, second = Retriever(town, WORDS).retrieve(phrase, k=2)
    assert (best.document.path, second.document.path) == ("canal.txt", "street.txt")
    assert best.score >= WORDS.phrase > second.score
    assert best.score > Retriever(town, WORDS).retrieve(phrase.strip('"'), k=1)[0].score


def test_meaning_finds_what_shares_no_word(town: Library) -> None:
    best = Retriever(town).retrieve("Is my puppy allowed to run around freely?")[0]
    assert best.text.endswith("Dogs must be kept on a lead in all parks.")
    assert best.matched == ()


def test_a_passage_says_why_it_was_found(town: Library) -> None:
    best = Retriever(town).retrieve("Must dogs be kept on a lead in parks?")[0]
    assert best.matched == ("dogs", "kept", "lead", "parks")
    assert best.why == ("matches dogs, kept, lead, parks", "close in meaning")
    assert Retriever(town).retrieve("What is E-4304?")[0].matched == ("E-4304",)
    far = Retriever(town).retrieve("quantum chromodynamics lattice", k=1)[0]
    assert (far.matched, far.why) == ((), ("nearest there is",))


# -- duplicates and sections --------------------------------------------------------------------


def test_the_same_passage_in_several_documents_counts_once_with_every_place(
    empty: Library,
) -> None:
    text = "The lift is inspected every twelve months by an engineer from outside."
    copies = {f"copy {number}": text for number in (3, 1, 2)}
    empty.add_texts((name, text, "Paper", None) for name, text in copies.items())
    empty.add("Nobody waters the garden on Sunday.", name="other")
    best, *rest = Retriever(empty).retrieve("Who inspects the lift?")
    cited = [best.citation, *best.also_at]
    assert best.document.path == "copy 1"
    assert sorted(citation.path for citation in cited) == ["copy 1", "copy 2", "copy 3"]
    for citation in cited:
        assert empty.text(citation.document)[citation.start : citation.end] == text
    assert [passage.document.path for passage in rest] == ["other"]


def test_near_duplicates_fold_and_others_do_not(empty: Library) -> None:
    # Words of letters only: numbers are looked at more closely, see below.
    base = paragraph("lift", "w", 60).translate(str.maketrans("0123456789", "bcdfghjklm"))
    empty.add_texts(
        [
            ("a", base, "Paper", None),
            ("b", base.replace("wm ", "other "), "Paper", None),
            ("c", base.replace("wc", "x").replace("wd", "y"), "Paper", None),  # a third differs
        ]
    )
    found = Retriever(empty, WORDS).retrieve("lift", k=5)
    assert [(p.document.path, [c.path for c in p.also_at]) for p in found] == [
        ("a", ["b"]),
        ("c", []),
    ]


def test_two_versions_that_differ_in_a_number_are_both_shown(empty: Library) -> None:
    rule = paragraph("lift", "w", 60).translate(str.maketrans("0123456789", "bcdfghjklm"))
    rule += " It is inspected every {} weeks."
    empty.add_texts(
        [(name, rule.format(weeks), "Rule", None) for name, weeks in (("new", 4), ("old", 8))]
    )
    found = Retriever(empty, WORDS).retrieve("lift inspected", k=5)
    assert [(p.document.path, p.also_at) for p in found] == [("new", ()), ("old", ())]


def test_no_passage_leaves_its_section(town: Library) -> None:
    pets = next(info for info in town.documents() if info.path == "pets.md")
    only = Filter(documents=frozenset((pets.id,)))
    found = Retriever(town).retrieve("dogs gates litter parks animals hours", k=50, where=only)
    blocks = town.content(pets.id).blocks
    headings = set()
    for passage in found:
        inside = [b for b in blocks if passage.start <= b.start < passage.end]
        below = {b.headings for b in inside if b.kind is not BlockKind.HEADING}
        assert below <= {passage.citation.headings}
        headings.add(passage.citation.headings[-1:])
    assert headings >= {("Animals",), ("Hours",), ("Litter",)}


def test_sentences_make_up_the_passage_in_reading_order(town: Library) -> None:
    for passage in Retriever(town).retrieve("dogs gates codes trees", k=50):
        text = town.text(passage.document.id)
        assert passage.text == text[passage.start : passage.end]
        assert passage.sentences[0].start == passage.start
        assert passage.sentences[-1].end == passage.end
        starts = [sentence.start for sentence in passage.sentences]
        assert starts == sorted(set(starts))
        assert all(s.text == text[s.start : s.end] for s in passage.sentences)


# -- filters, k and errors ------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Library]:
    """Files of two types, and texts with days."""
    folder = write(tmp_path / "house", HOUSE)
    with new_library(tmp_path / "mixed.quoth", folder) as library:
        library.add("The roof was painted.", name="old", date="2019-12-31")
        library.add("The roof was painted again.", name="new", date="2021-06-30")
        library.add("The roof was never painted.", name="undated")
        yield library


@pytest.mark.parametrize(
    ("where", "paths"),
    [
        (Filter(folder="minutes"), {"minutes/2023.txt", "minutes/2024.txt"}),
        (Filter(folder="minutes/"), {"minutes/2023.txt", "minutes/2024.txt"}),
        (Filter(folder="minute"), set()),
        (Filter(pattern="*.md"), {"garden.md"}),
        (Filter(pattern="2023*"), {"minutes/2023.txt"}),
        (Filter(pattern="minutes/*4.txt"), {"minutes/2024.txt"}),
        (Filter(type="markdown"), {"garden.md"}),
        (Filter(type="text", pattern="lift*"), {"lift.txt"}),
        (Filter(after="2021-06-30", pattern="new"), {"new"}),
        (Filter(after="2019-12-31", before="2021-06-29"), {"old"}),
        (Filter(before="2019-12-30"), set()),
        (Filter(pattern="undated", before="2099-01-01"), set()),
        (Filter(documents=frozenset()), set()),
        (Filter(documents=frozenset((99_999,))), set()),
    ],
)
def test_filters_leave_only_what_they_allow(mixed: Library, where: Filter, paths: set[str]) -> None:
    found = Retriever(mixed).retrieve("the lift, the owners, the roof, the garden", where=where)
    assert {passage.document.path for passage in found} == paths
    assert [passage for passage in found if not where.matches(passage.document)] == []


def test_a_filter_for_documents_finds_each_of_them(mixed: Library) -> None:
    for info in mixed.documents():
        found = Retriever(mixed).retrieve("lift", where=Filter(documents=frozenset((info.id,))))
        assert {passage.document.id for passage in found} == {info.id}


def test_places_outside_the_filter_are_not_named(empty: Library) -> None:
    text = "The lift is inspected every year."
    empty.add_texts((name, text, "Paper", None) for name in ("in/one", "in/two", "out/three"))
    (found,) = Retriever(empty).retrieve("lift", where=Filter(folder="in"))
    assert [found.citation.path, *(c.path for c in found.also_at)] == ["in/one", "in/two"]


@pytest.mark.parametrize("k", [0, -1])
def test_k_is_at_least_1(library: Library, k: int) -> None:
    with pytest.raises(ValueError, match=f"k must be at least 1, not {k}"):
        Retriever(library).retrieve("lift", k=k)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_at_most_k_come_back_the_same_that_come_first_of_more(library: Library, k: int) -> None:
    many = Retriever(library).retrieve("the lift of the owners", k=50)
    assert len(many) < 50
    assert places(Retriever(library).retrieve("the lift of the owners", k=k)) == places(many)[:k]


def test_an_empty_library_has_no_passages(empty: Library) -> None:
    assert Retriever(empty).retrieve("Who inspects the lift?") == []
    assert retrieve('"quoted" E-4304', library=empty, k=3) == []


def test_questions_that_cannot_be_asked(library: Library) -> None:
    with pytest.raises(QuestionError, match="empty"):
        Retriever(library).retrieve(" \n ")
    with pytest.raises(QuestionError, match="2,001"):
        retrieve("y" * 2001, library=library)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="candidates"):
        RetrieverSettings(candidates=0)
    with pytest.raises(ValueError, match="words"):
        RetrieverSettings(words=1.1)


def test_a_path_of_a_library_will_do(tmp_path: Path, encoder: Encoder) -> None:
    path = tmp_path / "one.quoth"
    with Library.open(path, create=True, encoder=encoder) as library:
        library.add("Dogs must be kept on a lead.", name="rules")
        expected = Retriever(library).retrieve("dogs")
        assert retrieve("dogs", library=library) == expected
    assert len(expected) == 1
    assert retrieve("dogs", library=path) == expected
    assert retrieve("dogs", library=str(path), where=Filter(pattern="no*")) == []
    with pytest.raises(LibraryNotFoundError):
        retrieve("dogs", library=tmp_path / "two.quoth")


def test_a_new_document_is_found_at_once_and_a_removed_one_no_more(library: Library) -> None:
    retriever = Retriever(library)
    info = library.add("The zeppelin lands on the roof.", name="zeppelin")
    assert retriever.retrieve("zeppelin")[0].document == info
    library.remove(info.id)
    assert "zeppelin" not in {passage.document.path for passage in retriever.retrieve("zeppelin")}
