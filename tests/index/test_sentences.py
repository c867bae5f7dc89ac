from __future__ import annotations

import hashlib
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import index.sentences
from index.clauses import HARD_MAX_CHARS, MAX_CHARS
from index.punkt import abbreviations, dump_parameters, load_parameters, parse_abbreviations
from index.sentences import SPLITTER_VERSION, split_document, split_text, whole_sentences
from index.types import Block, BlockKind, Document, Sentence

DATA = Path(index.sentences.__file__).parent / "data"


def sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split_text(text)]


# Each line is a text; " | " stands where one sentence ends and the next begins.
SPLIT_AT_SPACES = """
The lift is inspected yearly. | The report is kept for five years.
Who inspects the lift? | An engineer does! | Good.
Dr. Smith met Mr. and Mrs. Brown at St. Mary's.
Prof. Ada Green and Rev. Lee spoke. | Then Gen. Hall left.
The U.S. Senate met. | It adjourned.
The act applies in the U.S. | The Senate passed it.
The U.S. Embassy is closed.
She moved to the U.K. | In May she left.
See No. 5 of the list. | It is short.
Is it safe? | No. | The lift is closed.
Is it open? | No. | I checked.
It was Acme Inc. said Bo. | He left Acme Inc. | The company is old.
Brown Ltd. and Green Co. merged.
J. R. R. Tolkien wrote it. | J.R.R. Tolkien did.
George W. Bush and John F. Kennedy were presidents.
He lacks vitamin C. | The diet is poor.
It was written by A. Smith. | She read it.
Version 3.2.1 is out. | Version 3.3 follows.
The rate rose by 2.5 per cent. | It was 1.5 before.
See sec. 4.2. | The next part is long.
See Sec. 4.2. | The next part is long.
Under Art. 5 and Art. II of the treaty it is void.
She studies art. | Her brother studies law.
As Fig. 3 shows (cf. Figs. 4 and 5), it works.
Cf. p. 12 and pp. 14-16. | Both pages count.
We met on Jan. 5 and on Feb. 12. | Nobody came.
It opened in Dec. | The year ended well.
Well... that is odd. | Really.
I waited … and nothing came.
It ended there... | The rest is known.
He said "Stop." | Then he left.
He said “Stop.” | Then he left.
"Stop!" he said. | "Why?" she asked.
(See the annex.) | The annex is long.
The lift works (see the annex). | It is new.
It is called “the lift.” | Others call it «the elevator». | Fine.
It was done.[12] | Then it was checked.[3][4] | End.
It was done.¹ | Then it was checked.
1. Press the button. | 2. Hold it. | 3. Let go.
4.2. The lift is inspected. | 4.3. The report is kept.
a. Press the button. | b. Hold it.
IV. The results are clear. | They are good.
Steps: 1. Press the button.
The file policy.pdf is old. | Read notes.txt instead.
Write to help@example.com. | We answer.
See https://example.com/a.b?c=d. | It is there.
Use tools, e.g. the hammer, i.e. the big one.
Use tools, e.g. Hammers, etc. | The list is long.
We open at 9 a.m. on Mondays. | We close at 5 p.m. | The shop is small.
What?! | That cannot be. | Yes...! | Good.
The end.Next leave alone. | Fine.
It costs approx. 5 euros, incl. tax, vs. 7 before.
Smith et al. showed it. | Jones et al. (2019) did too.
He weighs 80 kg. | The limit is 90 kg. | Fine.
It takes 5 min. and 3 sec. at most.
He came in 1999. | Smith left in 2001. | 45 people stayed.
The parties, i.e. Landlord and Tenant, agree.
It is on Main St. | The shop is near Fifth Ave. | It is open.
Das ist z. B. ein Haus. | Es ist z.B. groß.
Am 5. Oktober und am 3. des Monats. | Dann nicht.
Siehe Nr. 5, Abs. 2 und S. 7 bzw. Kap. 3. | Ende.
Er sagte: »Halt!« | Dann ging er. | »Halt!«, rief sie.
Hr. Müller und Dipl. Ing. Weber kamen. | Sie gingen.
Es por ej. una casa, p. ej. esta. | ¿Qué es? | ¡Una casa!
El Sr. García y la Sra. Ruiz viven en la Avda. Norte.
M. Dupont est là, c.-à-d. ici. | Il part.
« Bonjour ! » | Il est parti.
Что это? | Это дом. | А. С. Пушкин и др. жили здесь.
ما هذا؟ | هذا بيت. | نعم.
यह क्या है। | यह घर है।
Alice: How are you? | Bob: Fine, thanks.
Yahoo! is old. | So is it.
Lt.-Gov. Hall spoke. | Nobody listened.
It uses mRNA. | mRNA is new. | p16 is a marker.
The suspect (aged 40) fled. | (He was found.) | Good.
Patients with MS. | Interleukin is high. | DR. SMITH AGREED.
Scope . . . . . . . . 4
It is 5 ft. 3 in tall and 60 in. | It fits.
St. Bride and Mt. Rose are near Ft. Worth.
„Halt!“ | Dann ging er. | „Gut“, sagte sie.
He has a Ph.D. in physics. | She has an M.D. | They met.
Ends with an emoji 👍. | 👍 begins.
""".strip().splitlines()


@pytest.mark.parametrize("line", SPLIT_AT_SPACES)
def test_sentences_end_where_a_reader_ends_them(line: str) -> None:
    expected = line.split(" | ")
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天很好。我们走吧！好吗？好", ["今天很好。", "我们走吧！", "好吗？", "好"]),
        ("他说：“走。”然后走了。", ["他说：“走。”", "然后走了。"]),
        ("「行く。」と言った。帰った。", ["「行く。」と言った。", "帰った。"]),
        ("A line\nthat wraps. And\nanother.", ["A line\nthat wraps.", "And\nanother."]),
        ("Title\n\nBody begins\n \nand goes on", ["Title", "Body begins", "and goes on"]),
        ("Bring:\n• a hat\n• a coat", ["Bring:", "• a hat", "• a coat"]),
        ("Bring:\r\n- a hat\r\n- a coat", ["Bring:", "- a hat", "- a coat"]),
        ("Bring:\n- a hat", ["Bring:", "- a hat"]),
        ("It was old\n- very old\nand closed.", ["It was old\n- very old\nand closed."]),
        ("Do this\n1. Press it\n2. Hold it", ["Do this", "1. Press it", "2. Hold it"]),
        ("Do this\na) press it\nb) hold it", ["Do this", "a) press it", "b) hold it"]),
        ("It is on page\n12. The lift is new.", ["It is on page\n12.", "The lift is new."]),
        ('He said "Stop. " Then he left.', ['He said "Stop. "', "Then he left."]),
        ("See below:\n1. One line", ["See below:", "1. One line"]),
        ("\x00\n\x00", ["\x00\n\x00"]),
        ("One.\u2028Two.\u2029Three.", ["One.", "Two.", "Three."]),
        (" \n ", []),
        ("", []),
    ],
)
def test_lines_and_scripts_without_spaces(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def assert_exact(text: str, spans: list[tuple[int, int]]) -> None:
    """Between two spans there is only white space, and none begins or ends with it."""
    end = 0
    for start, stop in spans:
        assert start >= end
        assert text[end:start].strip() == ""
        assert text[start:stop] == text[start:stop].strip() != ""
        assert stop - start <= HARD_MAX_CHARS
        end = stop
    assert text[end:].strip() == ""


nasty = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "aAbZ.!?…,;:'\"”’»)([]{}-–—•1 2\n\r\t\x00\x0b\x1c\x85\xa0"
            "\xad\u200b\u200d\u2028\u2029\u3000。！？」』؟।\u0301\u0903👩🏽🔧🇩🇪\u202eא\ud800\udc00"
        ),
        st.characters(),
    ),
    max_size=120,
)


@given(nasty)
@example("a.\u3000b")
@example('".\x85"')
@example("- a\n- b\r\n\r\n1. c\n2. d")
def test_sentences_lose_no_character(text: str) -> None:
    assert_exact(text, [(span.start, span.end) for span in split_text(text)])


@settings(max_examples=50)
@given(nasty.filter(str.strip), st.integers(1, 60))
def test_long_texts_lose_no_character(text: str, times: int) -> None:
    text = text * times
    assert_exact(text, [(span.start, span.end) for span in split_text(text)])


@given(st.lists(st.tuples(nasty, st.sampled_from(BlockKind)), max_size=5))
def test_sentences_of_a_document_lie_in_their_blocks(parts: list[tuple[str, BlockKind]]) -> None:
    """Every visible character of a block is in one of its sentences, and in no other."""
    text, blocks = "", []
    for part, kind in parts:
        if part:
            blocks.append(Block(len(text), len(text) + len(part), kind))
            text += part + "\n\n"
    document = Document(text=text, blocks=tuple(blocks))
    found = split_document(document)
    assert_exact(text, [(sentence.start, sentence.end) for sentence in found])
    for sentence in found:
        block = blocks[sentence.block]
        assert block.start <= sentence.start < sentence.end <= block.end


def test_headings_and_rows_are_one_sentence_each() -> None:
    text = "What is new? All of it.\n\nLift 1. | Yes. | No.\n\nOne. Two."
    blocks = (
        Block(0, 23, BlockKind.HEADING),
        Block(25, 45, BlockKind.ROW),
        Block(47, 56, BlockKind.PARAGRAPH),
    )
    found = split_document(Document(text=text, blocks=blocks))
    assert found == [
        Sentence(0, 23, 0),
        Sentence(25, 45, 1),
        Sentence(47, 51, 2),
        Sentence(52, 56, 2),
    ]


def test_other_documents_change_nothing() -> None:
    """What was split before leaves no trace: nothing is learned at run time."""
    text = "He met Zorb. Glanz there. The zorb. glanz is a xyq. Zorb. It was."
    before = split_text(text)
    for _ in range(50):
        split_text("The zorb. was here. The Zorb. Glanz is a glanz. And xyq. is not xyq. zorb.")
    index.punkt.period_ends.cache_clear()
    assert split_text(text) == before


def test_threads_agree() -> None:
    text = "\n\n".join(" ".join(line.split(" | ")) for line in SPLIT_AT_SPACES)
    expected = split_text(text)
    index.punkt.period_ends.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(split_text, [text] * 16))


# Long sentences


@pytest.mark.parametrize(
    ("separator", "next_begins"),
    [
        ("; ", "the"),
        (": ", "the"),
        (" – ", "– the"),
        (", and ", "and the"),
        (", which ", "which the"),
        (", ", "the"),
        ("，", "the"),
        (" | ", "the"),
    ],
)
def test_long_sentences_are_divided_at_clauses(separator: str, next_begins: str) -> None:
    clause = "the engineer inspects all of the lift's doors and its brakes"
    pieces = sentences(separator.join([clause] * 12) + ".")
    assert len(pieces) > 1
    assert all(piece.startswith(next_begins) for piece in pieces[1:])
    lengths = [len(piece) for piece in pieces]
    assert max(lengths) <= MAX_CHARS
    assert max(lengths) < 2.5 * min(lengths)


def test_a_semicolon_is_better_than_a_comma() -> None:
    text = f"{'aa bb cc, ' * 25}dd; {'aa bb cc, ' * 24}ee."
    assert sentences(text)[0].endswith("dd;")


def test_a_sentence_is_whole_up_to_the_limit() -> None:
    text = f"{'word, ' * 66}end."
    assert len(text) == MAX_CHARS
    assert sentences(text) == [text]


def test_white_space_alone_divides_only_above_the_hard_limit() -> None:
    assert len(sentences("word " * 100)) == 1
    pieces = sentences("word " * 200)
    assert len(pieces) == 3
    assert all(piece.split() == ["word"] * len(piece.split()) for piece in pieces)


@pytest.mark.parametrize(
    "character",
    [
        "e\u0301\u0327",
        "👩🏽\u200d🔧",
        "🇩🇪",
        "각",
        "क्षि",
        "👍🏿",
        "🏴\U000e0067\U000e0062\U000e007f",
        "\ud83d\udc4d",
    ],
    ids=["marks", "joined emoji", "flag", "Hangul", "Hindi", "skin tone", "tags", "surrogates"],
)
def test_a_cut_spares_what_people_see_as_one_character(character: str) -> None:
    pieces = sentences(character * 900)
    assert len(pieces) > 1
    assert all(piece == character * (len(piece) // len(character)) for piece in pieces)


def test_code_is_divided_at_lines() -> None:
    line = "value = compute(first, second, third)"
    text = "\n".join([line] * 30)
    document = Document(text=text, blocks=(Block(0, len(text), BlockKind.CODE),))
    pieces = [text[found.start : found.end] for found in split_document(document)]
    assert len(pieces) > 1
    assert all(set(piece.split("\n")) == {line} for piece in pieces)


@pytest.mark.parametrize(
    "text",
    [
        "." * 100_000,
        "a." * 50_000,
        "a. " * 50_000,
        ". " * 100_000,
        "?!" * 100_000,
        '."' * 100_000,
        ". ” " * 50_000,
        '. " ' * 50_000,
        "x" * 1_000_000,
        "\u0301" * 200_000,
        "🇩" * 200_000,
        " " * 1_000_000 + ".",
        "a.\n" * 100_000,
        "- a\n" * 50_000,
        "1. a\n" * 50_000,
        "[1]" * 100_000,
        "," * 200_000,
        ", " * 200_000,
        "a\t" * 200_000,
        "word" + " " * 500_000 + "word",
        "a" * 1000 + (" " * 2000 + "a" * 1000) * 200,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    began = time.perf_counter()
    split_text(text)
    assert time.perf_counter() - began < 20


@pytest.mark.slow
def test_a_paragraph_of_five_megabytes_is_split() -> None:
    text = (
        "The lift is inspected by Dr. Brown at 9 a.m. on Jan. 5. It is new, e.g. its doors. "
        * 60_000
    )
    began = time.perf_counter()
    found = split_text(text)
    assert len(found) == 120_000
    assert time.perf_counter() - began < 60


# What ships


def test_the_version_changes_with_the_data() -> None:
    """New parameters or abbreviations split differently, so stored spans must be made again."""
    digest = hashlib.sha256()
    for name in ("punkt.json", "abbreviations.txt"):
        digest.update((DATA / name).read_bytes())
    assert (SPLITTER_VERSION, digest.hexdigest()[:16]) == ("1", "3473e5bdff452c59")


def test_parameters_survive_a_round_trip() -> None:
    text = (DATA / "punkt.json").read_text(encoding="utf-8")
    parameters = load_parameters(text)
    assert len(parameters.ortho_context) > 10_000
    again = load_parameters(dump_parameters(parameters, {}))
    assert again.abbrev_types == parameters.abbrev_types
    assert again.sent_starters == parameters.sent_starters
    assert again.collocations == parameters.collocations
    assert again.ortho_context == parameters.ortho_context


def test_looking_up_a_word_adds_nothing() -> None:
    contexts = load_parameters((DATA / "punkt.json").read_text(encoding="utf-8")).ortho_context
    size = len(contexts)
    assert contexts["nosuchword"] == 0
    assert len(contexts) == size


def test_no_abbreviation_has_two_roles() -> None:
    known = abbreviations()
    roles = (known.inner, known.name, known.number, known.open)
    assert [word for word, times in Counter(chain(*roles)).items() if times > 1] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [("dr mr\n[inner]", "before the first section"), ("[inner]\ndr", "the sections are")],
)
def test_a_malformed_list_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_abbreviations(text)


def test_whole_sentences_are_not_divided() -> None:
    text = "word, " * 200 + "end. Next."
    assert [text[start:end][-5:] for start, end in whole_sentences(text)] == [" end.", "Next."]
