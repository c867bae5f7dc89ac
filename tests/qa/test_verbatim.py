"""Whatever a document holds, all that is shown of it stands in it, character by character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import HashEncoder, new_library, sentences, write

from index import Library
from index.errors import FormatError
from index.terms import spanned_terms
from index.types import Citation
from qa import Chat, Passage, Retriever
from qa.answer import AnswerSettings
from qa.question import searchable

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
NASTY = {
    "emoji": f"The {FAMILY} family pays 12 pounds. A 👍🏽 costs 3 pounds. 🇬🇧🇪🇺 flags wave.",
    "marks": "Cafe\u0301 and caf\u00e9 open at 8. Z\u0351\u036b\u0343a\u0363lgo closes at 9.",
    "bidi": "The \u202ereversed\u202c lift. שלום עולם. مرحبا بالعالم. \u200fA lift\u200e is new.",
    "returns": "The lift is\r\nold.\r\n\r\nThe lift\ris new.\r\rThe lift\n\ris gone.",
    "hyphens": "The main\u00adten\u00adance of the lift is main-\ntained yearly. A soft\u00ad",
    "nul": "The lift\x00 costs\x00 3 pounds.\x00 \x00The next lift \x01\x1b[2J costs 4.",
    "breaks": "The lift\u2028is old.\u2029The lift\u2028\u2029is new.\x85The lift\x0bis\x0cgone.",
    "spaces": "\u3000A\u2003lift\u2009is\u200bold.\ufeff A\u00a0lift costs\u202f3\u00a0euros. ",
    "folds": "Die Straße zum Lift. ﬁne ﬂow ﬃ. İstanbul ıİ ǅ ſ. ½ ² ℌ ™ Ａ１ ㎏. The lift is ﬁxed.",
    "astral": "𝔗𝔥𝔢 𝔩𝔦𝔣𝔱 𝟙𝟚. The \U0010ffff lift \ue000. The lift \ufffe\uffff is \ufffd.",
    "points": "... !!! ??? The lift. . . lift? ! Lift… “lift.” (lift.) 'lift.' e.g. U.S.A. lift",
    "markup": "# <b>lift</b>\n\n- * lift **\n\n| lift | a \\| b |\n|---|---|\n| lift | 1 |\n",
    "long": "lift" * 500 + " is one word. " + "The lift, " * 200 + "is one sentence.",
    "hangul": "각 각 한국어 리프트. 昇降機は毎年点検される。昇降機は古い。 The lift is checked。",
    "tags": "The lift\U000e0001\U000e0061 is tagged. The l\ufe0fif\u20e3t varies. \u034fThe lift.",
}
TYPES = ("txt", "md")
QUESTIONS = (
    "How much does the lift cost?",
    "Is the lift old or new?",
    "lift",
    '"the lift"',
    "What family pays?",
    "How often is the maintenance of the lift?",
    "שלום",
    "昇降機",
    "café straße fine",
    "3 pounds",
)
# Alphabets that meet where offsets go wrong: folding, joining, breaking, quoting, marking up.
ODD = st.sampled_from(
    [
        *(FAMILY, "👍🏽", "🇬🇧", "e\u0301", "\u0301", "ﬁ", "ß", "İ", "½", "\u00ad", "-\n", "- \r\n"),
        *("\r\n", "\r", "\n\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x00", "\x1b", "\t"),
        *("\u200b", "\u200d", "\ufeff", "\u00a0", "\u3000", "\u202e", "\u2066", "\u200f", "שלום"),
        *(". ", "! ", "? ", "… ", ": ", "; ", "e.g. ", "Dr. ", "3.2 ", "E-4304 ", "12,400 "),
        *("# ", "## ", "- ", "1. ", "* ", "| ", "\n|---|\n", "`", "```\n", "> ", "===\n", "&amp; "),
        *("lift ", "the lift ", "Lifts ", "costs ", "a", "\U0010ffff", "\ue000", "昇降機。"),
    ]
)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEXT = st.lists(ODD | PLAIN, min_size=1, max_size=40).map("".join)


def decoded(path: Path) -> str:
    """Return what the file says, as anyone would read it, its line ends kept."""
    return path.read_bytes().decode("utf-8-sig")


def shown(library: Library, question: str) -> Iterator[tuple[Citation, str]]:
    """Yield all that is said of the documents: each text with the place that is given for it."""
    answer = Chat(library, settings=AnswerSettings(abstain_below=0)).ask(question)
    for quote in answer.quotes:
        assert (quote.citation.start, quote.citation.end) == (quote.start, quote.end)
        yield quote.citation, quote.text
        for citation in quote.also_at:
            same = library.text(citation.document)[citation.start : citation.end]
            assert " ".join(same.split()).casefold() == " ".join(quote.text.split()).casefold()
            yield citation, same
    for passage in (*answer.passages, *Retriever(library).retrieve(question, k=30)):
        yield from _parts(passage)
    for hit in library.find(question):
        yield hit.citation, hit.text
        for start, end in hit.marks:
            assert hit.start <= start < end <= hit.end


def _parts(passage: Passage) -> Iterator[tuple[Citation, str]]:
    citation = passage.citation
    assert (citation.start, citation.end) == (passage.start, passage.end)
    yield citation, passage.text
    end = passage.start
    for sentence in passage.sentences:
        assert sentence.start >= end
        end = sentence.end
        offset = sentence.start - passage.start
        inside = passage.text[offset : offset + sentence.end - sentence.start]
        assert sentence.text == inside
    assert end == passage.end


def check(library: Library, question: str) -> int:
    """Check all that is shown for a question; return how much it was."""
    count = 0
    for citation, text in shown(library, question):
        info = library.document(citation.document)
        assert text
        assert 0 <= citation.start < citation.end <= info.characters
        assert text == library.text(citation.document)[citation.start : citation.end]
        assert (citation.path, citation.text_hash) == (info.path, info.text_hash)
        if info.file is not None and info.file.suffix == ".txt":
            assert text == decoded(info.file)[citation.start : citation.end]
        count += 1
    return count


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Every nasty text as a text file, as Markdown and as a text that was added."""
    path = tmp_path_factory.mktemp("verbatim")
    files = {f"{name}.{type}": text for name, text in NASTY.items() for type in TYPES}
    with new_library(path / "nasty.quoth", write(path / "nasty", files)) as library:
        library.add_texts((name, text, None, None) for name, text in NASTY.items())
        yield library


def test_every_nasty_text_is_kept_as_it_is(nasty: Library) -> None:
    stored = {info.path: nasty.text(info.id) for info in nasty.documents()}
    assert {f"nul.{type}" for type in TYPES} & set(stored) == set()  # binary, says the report
    assert len(stored) == len(NASTY) * (len(TYPES) + 1) - len(TYPES)
    for name, text in NASTY.items():
        assert stored[name] == text
        assert stored.get(f"{name}.txt", text) == text


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_shown_of_nasty_texts_stands_in_them(nasty: Library, question: str) -> None:
    assert check(nasty, question) > 10


@pytest.mark.slow
def test_random_words_of_the_documents_find_what_stands_there(nasty: Library) -> None:
    """Hundreds of spans, asked as they are and in quotation marks: thousands of places shown."""
    random = Random(4304)
    documents = nasty.documents()
    count = 0
    for _ in range(150):
        text = nasty.text(random.choice(documents).id)
        start = random.randrange(len(text))
        span = text[start : start + random.randrange(1, 60)]
        question = random.choice((span, f'"{span}"', f"What about {span}?"))
        if question.split():
            count += check(nasty, question)
    assert count > 3000


def test_every_sentence_is_found_by_its_own_words(nasty: Library) -> None:
    found = 0
    for number, start, end in sentences(nasty):
        text = nasty.text(number)[start:end]
        # A question has an end, and the pieces of an endless word are no words.
        if len(text) > 1000 or "liftlift" in text or any(mark in text for mark in '"“”'):
            continue
        if not spanned_terms(text):
            continue
        hits = {(hit.citation.document, hit.start, hit.end) for hit in nasty.find(text)}
        assert (number, start, end) in hits, text
        found += 1
    assert found > 100


def test_sentences_cover_all_that_is_visible(nasty: Library) -> None:
    covered: dict[int, int] = {}
    for number, start, end in sentences(nasty):
        info, text = nasty.document(number), nasty.text(number)
        gap = text[covered.get(number, 0) : start]
        if info.type == "text":
            assert not any(c.isalnum() for c in gap), (info.path, gap)
        assert covered.get(number, 0) <= start < end
        covered[number] = end
    for info in nasty.documents():
        if info.type == "text":
            assert not any(c.isalnum() for c in nasty.text(info.id)[covered[info.id] :])


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXT, min_size=1, max_size=6), asked=TEXT)
def test_any_text_in_any_file_is_shown_as_it_stands(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], asked: str
) -> None:
    readable = [text for text in texts if any(c.isalnum() for c in text)]
    if not readable:
        return
    path = tmp_path_factory.mktemp("any")
    files = {
        f"{number}.{type}": text
        for number, text in enumerate(readable)
        for type in TYPES
        if "\x00" not in text  # a file with NUL may be taken for a binary one
    }
    with Library.open(path / "any.quoth", create=True, encoder=HashEncoder()) as library:
        if files:
            library.sync(write(path / "files", files))
        library.add_texts((f"t{number}", text, None, None) for number, text in enumerate(readable))
        assert [library.text(d.id) for d in library.documents() if d.file is None] == readable
        for question in ("lift", asked[:1000], readable[0][:1000]):
            if searchable(question):
                check(library, question)


@pytest.mark.parametrize("text", ["half a \ud83d pair", "\udc80", "lift \ud800\udc00 lift"])
def test_lone_surrogates_are_no_text_and_change_nothing(nasty: Library, text: str) -> None:
    """No file of text can hold them, so no answer could be checked against one."""
    before = nasty.generation
    with pytest.raises(FormatError, match="not valid Unicode"):
        nasty.add(text, name="surrogate")
    assert nasty.generation == before
    assert "surrogate" not in {info.path for info in nasty.documents()}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_a_file_in_another_encoding_is_quoted_in_its_decoded_words(
    tmp_path: Path, encoding: str
) -> None:
    text = "Die Straße zum Café führt über den Fluß.\r\n\r\nThe lift costs 3 pounds, naïve façade."
    bom = b"\xff\xfe" if encoding == "utf-16-le" else b""
    folder = write(tmp_path / "house", {"a.txt": bom + text.encode(encoding)})
    with new_library(tmp_path / "house.quoth", folder) as library:
        (info,) = library.documents()
        assert library.text(info.id) == text
        quotes = Chat(library, settings=AnswerSettings(abstain_below=0)).ask("lift costs").quotes
    assert quotes[0].text == "The lift costs 3 pounds, naïve façade."
    assert text[quotes[0].start : quotes[0].end] == quotes[0].text


def test_composed_and_decomposed_words_find_each_other_and_keep_their_form(
    nasty: Library,
) -> None:
    composed, decomposed = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
    for words in (composed, decomposed, "CAFE"):
        texts = {hit.text for hit in nasty.find(words) if hit.citation.path == "marks"}
        assert texts == {"Cafe\u0301 and caf\u00e9 open at 8."}
