"""Any bytes and any structure: a parser gives a sound document or a FormatError, nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzzing.archives import word_file
from bench.fuzzing.check import breaches_of_document, breaches_of_reason
from bench.fuzzing.mutate import mutant
from bench.fuzzing.pdfs import pages_pdf
from bench.fuzzing.seeds import Seed, repacked, seeds
from bench.fuzzing.words import FOREIGN, WORDS
from index.errors import FormatError
from index.formats import FORMATS, Limits, format_of
from index.types import Document

LIMITS = Limits()
SUFFIXES = [suffix for form in FORMATS for suffix in form.suffixes]
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One folder for all examples."""
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


@cache
def sound() -> list[Seed]:
    return seeds()


def attempt(path: Path) -> Document | FormatError:
    """Parse in this process, where nothing but the parser catches what it raises."""
    form = format_of(path)
    assert form is not None
    try:
        return form.parse(path, LIMITS)
    except FormatError as error:
        return error


def check(folder: Path, data: bytes, suffix: str, *, foreseen: bool = True) -> None:
    path = folder / f"any{suffix}"
    path.write_bytes(data)
    found = attempt(path)
    if isinstance(found, FormatError):
        assert list(breaches_of_reason(found.reason)) == []
        if foreseen:
            assert not found.reason.startswith("damaged, or not"), repr(found.__cause__)
        return
    assert list(breaches_of_document(found, LIMITS)) == []


ANY_BYTES = st.binary(min_size=1, max_size=400)


@QUICK
@given(ANY_BYTES, st.sampled_from(SUFFIXES))
def test_any_bytes(folder: Path, data: bytes, suffix: str) -> None:
    check(folder, data, suffix)


@pytest.mark.slow
@LONG
@given(ANY_BYTES, st.sampled_from(SUFFIXES))
def test_any_bytes_at_length(folder: Path, data: bytes, suffix: str) -> None:
    check(folder, data, suffix)


def words(form: str) -> st.SearchStrategy[bytes]:
    """Give words of a format, some of them many times, with text and foreign bytes between."""
    word = st.sampled_from([*WORDS[form], *FOREIGN]) | st.text(max_size=6).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
    times = st.sampled_from([1, 1, 1, 2, 7, 300])
    return st.lists(st.tuples(word, times), min_size=1, max_size=25).map(
        lambda parts: b"".join((word + b" ") * times for word, times in parts)
    )


MARKED = st.sampled_from(["text", "markdown", "html", "csv"]).flatmap(
    lambda form: st.tuples(st.just(form), words(form))
)
SUFFIX = {form.name: form.suffixes[0] for form in FORMATS}


@QUICK
@given(MARKED)
def test_any_structure_of_text(folder: Path, marked: tuple[str, bytes]) -> None:
    check(folder, marked[1], SUFFIX[marked[0]])


@pytest.mark.slow
@LONG
@given(MARKED)
def test_any_structure_of_text_at_length(folder: Path, marked: tuple[str, bytes]) -> None:
    check(folder, marked[1], SUFFIX[marked[0]])


ELEMENT = st.recursive(
    st.text(max_size=8).map(lambda text: text.replace("&", "").replace("<", "")),
    lambda inside: st.tuples(
        st.sampled_from(
            "p r t tbl tr tc sdt sdtContent pPr numPr del ins br tab txbxContent hyperlink "
            'pStyle|w:val="Heading1" ilvl|w:val="3" numId|w:val="1" gridSpan|w:val="9" '
            'outlineLvl|w:val="2"'.split()
        ),
        st.lists(inside, max_size=4),
    ).map(
        lambda made: (
            f"<w:{made[0].replace('|', ' ')}>{''.join(made[1])}</w:{made[0].partition('|')[0]}>"
        )
    ),
    max_leaves=12,
)


def word_bytes(body: str) -> bytes:
    clean = "".join(c for c in body if c.isprintable())
    return repacked(word_file(clean), stored=True)


@QUICK
@given(ELEMENT)
def test_any_tree_of_word(folder: Path, body: str) -> None:
    check(folder, word_bytes(body), ".docx")


@pytest.mark.slow
@LONG
@given(ELEMENT)
def test_any_tree_of_word_at_length(folder: Path, body: str) -> None:
    check(folder, word_bytes(body), ".docx")


@QUICK
@given(st.lists(words("pdf"), min_size=1, max_size=3))
def test_any_content_of_pages(folder: Path, contents: list[bytes]) -> None:
    check(folder, pages_pdf([b"BT /F1 11 Tf 40 700 Td (a) Tj " + c for c in contents]), ".pdf")


@pytest.mark.slow
@LONG
@given(st.lists(words("pdf"), min_size=1, max_size=3), words("pdf"))
def test_any_content_and_catalog(folder: Path, contents: list[bytes], catalog: bytes) -> None:
    pages = [b"BT /F1 11 Tf 40 700 Td (a) Tj " + c for c in contents]
    check(folder, pages_pdf(pages, catalog=catalog), ".pdf")


@pytest.mark.parametrize("part", range(6))
def test_a_few_mutants_of_each_format(folder: Path, part: int) -> None:
    """`bench/fuzz.py` reads thousands, in processes that are watched."""
    for number in range(part * 6, part * 6 + 6):
        made = mutant(sound(), number, Random(part).randrange(1000))
        check(folder, made.data, made.suffix, foreseen=False)
