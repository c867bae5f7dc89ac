"""The registry: every file becomes a document or gets one clear reason."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import FormatError
from index.formats import FORMATS, Limits, format_of, read_document, supported_suffixes
from index.formats.builder import DocumentBuilder, join_cells, lead_in
from index.formats.language import guess_language
from index.types import BlockKind, Document

GERMAN = (
    "Der Aufzug wird einmal im Jahr von einem Sachverständigen geprüft. Die Prüfung umfasst "
    "Tragseile, Türen und Steuerung. Das Protokoll wird fünf Jahre lang aufbewahrt; der "
    "Eigentümer meldet jede Störung sofort."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def reason(path: Path, **limits: int) -> str:
    with pytest.raises(FormatError) as caught:
        read_document(path, limits=Limits(**limits))
    return caught.value.reason


def attempt(path: Path) -> Document | FormatError:
    try:
        return read_document(path)
    except FormatError as error:
        return error


def test_every_suffix_belongs_to_one_format() -> None:
    suffixes = [suffix for format_ in FORMATS for suffix in format_.suffixes]
    assert sorted(suffixes) == list(supported_suffixes())
    assert len(set(suffixes)) == len(suffixes)
    assert {".txt", ".md", ".html", ".pdf", ".docx", ".csv"} <= set(suffixes)


def test_a_format_is_known_by_its_suffix_in_any_case() -> None:
    for known in FORMATS:
        for suffix in known.suffixes:
            assert format_of(Path(f"a.b{suffix.upper()}")) is known
    assert format_of(Path("a.xyz")) is None
    assert format_of(Path("txt")) is None


def test_the_suffixes_are_known_without_importing_a_parser() -> None:
    code = "import sys, index.formats; index.formats.supported_suffixes(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"lxml", "markdown_it", "docx", "pypdfium2", "charset_normalizer", "py3langid", "numpy"}
    assert heavy.isdisjoint(ran.stdout.split())


def test_files_that_cannot_be_read_get_a_reason(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "empty.txt").touch()
    (tmp_path / "blank.txt").write_text(" \n\u200b\n")
    (tmp_path / "long.txt").write_text("x" * 100)
    (tmp_path / "big.txt").write_bytes(b"x" * (2**20 + 1))
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    (tmp_path / "a.xyz").write_text("x")
    (tmp_path / "README").write_text("x")
    os.mkfifo(tmp_path / "pipe.txt")
    assert reason(tmp_path / "missing.txt") == "no such file"
    assert reason(tmp_path / "folder.txt") == "a folder"
    assert reason(tmp_path / "pipe.txt") == "not a regular file"
    assert reason(tmp_path / "empty.txt") == "empty file"
    assert reason(tmp_path / "blank.txt") == "no text"
    assert reason(tmp_path / "long.txt", max_bytes=99) == (
        "too large: 100 bytes, the limit is 99 bytes"
    )
    assert reason(tmp_path / "big.txt", max_bytes=2**20) == "too large: 2 MB, the limit is 1 MB"
    assert reason(tmp_path / "long.txt", max_characters=99) == (
        "too much text: 100 characters, the limit is 99"
    )
    assert reason(tmp_path / "binary.txt") == "binary, not text"
    assert reason(tmp_path / "a.xyz").startswith("unknown format .xyz; known are .csv, .docx, ")
    assert reason(tmp_path / "README").startswith("unknown format: no suffix; known are .csv")


def test_a_sparse_file_of_200_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    assert reason(path) == "too large: 200 MB, the limit is 64 MB"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_gets_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    path.chmod(0)
    assert reason(path) == "no permission to read it"


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=300)
    | st.text(min_size=1, max_size=300).map(lambda text: text.encode("utf-8", errors="replace")),
    st.sampled_from([".txt", ".md", ".html", ".csv", ".tsv"]),
)
def test_any_bytes_give_a_document_or_a_reason(folder: Path, data: bytes, suffix: str) -> None:
    path = folder / f"any{suffix}"
    path.write_bytes(data)
    document = attempt(path)
    if isinstance(document, FormatError):
        assert document.__cause__ is None, "the parser failed where it should have coped"
        return
    assert document.text.encode("utf-8").decode("utf-8") == document.text
    assert document.blocks


MARKUP = (
    "<p> </p> <div> </div> <ul> <li> </li> </ul> <ol> <table> <tr> <td> <th> </table> <h1> </h1> "
    "<pre> </pre> <br> <dl> <dt> <dd> <main> </main> <nav> <b> <!-- --> <script> </script> "
    "# - 1. > | |-| ``` \n \n\n * ** [ ]( ) ![ : --- === word two, Name: &amp; \t"
).split(" ")


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(MARKUP), min_size=1, max_size=60),
    st.sampled_from([".txt", ".md", ".html", ".csv"]),
)
def test_any_markup_gives_a_document_or_a_reason(
    folder: Path, parts: list[str], suffix: str
) -> None:
    path = folder / f"markup{suffix}"
    path.write_text(" ".join(parts), encoding="utf-8", newline="")
    document = attempt(path)
    if isinstance(document, FormatError):
        assert document.reason == "no text"
        return
    for block in document.blocks:
        assert document.text[block.start : block.end].strip()
        assert (block.level > 0) == (block.kind in (BlockKind.HEADING, BlockKind.ITEM))


BLOCKS = st.lists(
    st.tuples(st.sampled_from(["heading", "paragraph", "item", "row", "code"]), st.text()),
    max_size=12,
)


@given(BLOCKS)
def test_the_builder_keeps_every_text_at_its_offsets(parts: list[tuple[str, str]]) -> None:
    builder = DocumentBuilder()
    kept = []
    for kind, text in parts:
        match kind:
            case "heading":
                block = builder.heading(text, 2)
            case "row":
                block = builder.row([text, text])
            case _:
                block = getattr(builder, kind)(text)
        if block is not None:
            kept.append((kind, text))
    document = builder.build()
    assert len(document.blocks) == len(kept)
    for block, (kind, text) in zip(document.blocks, kept, strict=True):
        words = text.replace("\x00", "").split()
        assert document.text[block.start : block.end].split() == (
            [*words, "|", *words] if kind == "row" else words
        )
    for before, after in pairwise(document.blocks):
        together = before.kind is after.kind and before.kind in (BlockKind.ITEM, BlockKind.ROW)
        assert document.text[before.end : after.start].strip() == ""
        assert document.text[before.end : after.start].count("\n") == (1 if together else 2)


def test_the_builder_keeps_the_path_of_headings() -> None:
    builder = DocumentBuilder()
    for level, title in [(1, "A"), (3, "B"), (2, "C\nd"), (1, "E")]:
        builder.heading(title, level)
        builder.paragraph("x")
    assert [block.headings for block in builder.build().blocks if block.level == 0] == [
        ("A",),
        ("A", "B"),
        ("A", "C d"),
        ("E",),
    ]


def test_rows_and_lead_ins() -> None:
    assert join_cells(["a ", "", "b\nc", " ", ""]) == "a |  | b c"
    assert lead_in("It is old. Bring the\nfollowing:") == "Bring the following:"
    assert lead_in("It is old. At each visit they") == "At each visit they"
    assert lead_in("It is old.") == ""
    assert lead_in("") == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GERMAN, "de"),
        ("The lift is inspected once a year by an expert. " * 5, "en"),
        ("エレベーターは年に一度検査されます。検査にはケーブルが含まれます。" * 6, "ja"),
        (GERMAN[:60], None),  # too short to tell
        ("12.50 | 3 | 4,00 | A-17 " * 40, None),
        ("ACGTACGTTAGC" * 40, None),
    ],
)
def test_language(text: str, language: str | None) -> None:
    assert guess_language(text) == language


def test_language_is_the_same_in_every_thread() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(guess_language, [GERMAN] * 64)) == {"de"}


def test_the_language_of_a_document_is_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(GERMAN, encoding="utf-8")
    assert read_document(path).language == "de"
