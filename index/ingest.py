"""Documents become rows: sentences, passages, vectors and words of a generation to come.

Vectors are staged in many small transactions under the text that was encoded, so what an
interrupted sync has embedded is not embedded again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from index.ahead import ahead
from index.content import encode_content, stored_content, text_hash
from index.database import Database, Row, next_number
from index.errors import FormatError
from index.passages import PASSAGES_VERSION, group
from index.sealing import Whole
from index.seals import DOCUMENT, PASSAGE, SENTENCE, columns, vector_crc
from index.searchview import plain
from index.sentences import SPLITTER_VERSION, split_document
from index.store import Store, now
from index.terms import TERMS_VERSION, index_terms
from index.types import BlockKind, Document, Encoder, Part, PartEncoder, PassageSpan, Sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.types import Vectors

    Halves = NDArray[np.float16]

__all__ = [
    "PIPELINE",
    "Ingest",
    "Label",
    "Prepared",
    "as_encoded",
    "document_of",
    "encode",
    "insert_vector",
    "key_of",
    "label_of",
    "prepare",
    "prepared_again",
]

logger = logging.getLogger(f"quoth.{__name__}")

# What made the rows of a document; another value means that a sync makes them anew.
PIPELINE = f"2.{SPLITTER_VERSION}.{PASSAGES_VERSION}.{TERMS_VERSION}"
STAGE = 256  # vectors made and stored in one transaction, about
BATCH = 2000  # sentences held in memory before they become rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a document is called in the library, apart from what is in it."""

    source: int
    path: str
    type: str
    title: str = ""  # overrides the document's own
    date: str | None = None  # overrides the document's own


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document split and grouped, with what the vectors of its parts stand for."""

    label: Label
    document: Document
    sentences: tuple[Sentence, ...]
    passages: tuple[PassageSpan, ...]
    sentence_parts: tuple[Part, ...]
    passage_parts: tuple[Part, ...]
    passage_terms: tuple[tuple[str, ...], ...]

    @property
    def title(self) -> str:
        """The title shown: given, stated by the document, or the file's name."""
        return self.label.title or self.document.title or self.label.path.rsplit("/", 1)[-1]

    @property
    def parts(self) -> Iterator[Part]:
        """All that is to be embedded, with repeats."""
        yield from self.sentence_parts
        yield from self.passage_parts


def document_of(name: str, text: str) -> Document:
    """Return a text as a document.

    Raises:
        FormatError: It holds no word or is not valid Unicode.
    """
    from index.formats.language import guess_language
    from index.formats.text import read_text

    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError(f"{name}: not valid Unicode at character {error.start}") from error
    document = read_text(text)
    if not text.strip():
        raise FormatError(f"{name}: no text")
    return replace(document, language=guess_language(text))


def prepare(document: Document, label: Label) -> Prepared:
    """Split and group `document`; a pure function of it, its label and the versions."""
    sentences = tuple(split_document(document))
    passages = tuple(group(document, sentences))
    title = label.title or document.title
    name = label.path.rsplit("/", 1)[-1].rpartition(".")[0] or label.path
    heading_terms: dict[str, tuple[str, ...]] = {}

    def terms(text: str) -> tuple[str, ...]:
        if text not in heading_terms:
            heading_terms[text] = tuple(index_terms(text))
        return heading_terms[text]

    about = (*terms(title), *(t for t in terms(name) if t not in terms(title)))
    # The title helps a passage's vector and harms a sentence's: docs/benchmarks.md.
    before = f"{plain(title)}. " if title else ""
    wholes = [Part.whole(before + plain(document.text[p.start : p.end])) for p in passages]
    return Prepared(
        label,
        document,
        sentences,
        passages,
        tuple(
            part
            for passage, whole in zip(passages, wholes, strict=True)
            for part in _sentence_parts(
                document, sentences[passage.first : passage.last], whole.text, len(before)
            )
        ),
        tuple(wholes),
        tuple(
            (
                *about,
                *(t for heading in p.headings for t in terms(heading)),
                *terms(p.context),
                *index_terms(document.text[p.start : p.end]),
            )
            for p in passages
        ),
    )


def label_of(row: Row, document: Document) -> Label:
    """Return the label that a stored document was taken in with.

    Args:
        row: Its source, path, type, title and date.
        document: The same one.
    """
    name = row["path"].rsplit("/", 1)[-1]  # stands in where there is no title
    return Label(
        source=row["source"],
        path=row["path"],
        type=row["type"],
        title="" if row["title"] in (document.title, name) else row["title"],
        date=row["date"],
    )


def prepared_again(db: Database, number: int) -> Prepared:
    """Return a stored document as it is prepared from its text and its label.

    Raises:
        LibraryDamagedError: Its text is not what was stored.
    """
    row = db.execute(
        "SELECT source, path, type, title, date FROM documents WHERE id = ?", (number,)
    ).fetchone()
    document = stored_content(db, number)
    return prepare(document, label_of(row, document))


def _sentence_parts(
    document: Document, sentences: Sequence[Sentence], passage: str, done: int
) -> Iterator[Part]:
    """Yield what the vector of each sentence of a passage stands for: mostly a part of that.

    Args:
        document: Where they stand.
        sentences: Of the passage, in order.
        passage: What the passage's own vector stands for.
        done: Where its text begins in that.
    """
    for sentence in sentences:
        block = document.blocks[sentence.block]
        text = plain(document.text[sentence.start : sentence.end])
        start = passage.find(text, done)
        if start >= 0:
            done = start + len(text)
        if block.context:
            # A row or an item alone often does not say what it is about.
            yield Part.whole(f"{plain(block.context)} {text}")
        elif start < 0 or block.kind in (BlockKind.ITEM, BlockKind.ROW) or text.endswith(":"):
            # What tells an item from its neighbours, which are alike, must not be lost among them,
            # nor what it leads in to with what leads in.
            yield Part.whole(text)
        else:
            yield Part(passage, start, done)


class Ingest:
    """Writes documents as rows born in `generation`, which is not published yet."""

    def __init__(
        self,
        store: Store,
        *,
        encoder: Encoder,
        model: int,
        generation: int,
        taken: Callable[[int], None],
        on_progress: Callable[[str, int], None] = lambda path, sentences: None,
    ) -> None:
        self.embedded = 0  # texts that went through the model
        self.sentences = 0
        self._store = store
        self._encoder = encoder
        self._model = model
        self._generation = generation
        self._taken = taken
        self._on_progress = on_progress
        self._told = 0
        self._waiting: list[tuple[Prepared, Callable[[int], None]]] = []
        self._waiting_sentences = 0
        self._given: dict[bytes, Halves] = {}  # vectors of what is waiting

    def add(
        self,
        prepared: Prepared,
        then: Callable[[int], None] = lambda document: None,
        vectors: Mapping[bytes, Halves] | None = None,
    ) -> None:
        """Take in a document.

        Args:
            prepared: The document.
            then: Gets its number when its rows are written.
            vectors: By key, those that were made elsewhere; what is missing is embedded.
        """
        self._waiting.append((prepared, then))
        self._given.update(vectors or {})
        self._waiting_sentences += len(prepared.sentences)
        if self._waiting_sentences >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if not self._waiting:
            return
        waiting, self._waiting, self._waiting_sentences = self._waiting, [], 0
        vectors = self._vectors([prepared for prepared, _ in waiting])
        for prepared, then in waiting:
            with self._store.writing(seal=()) as db:
                document = self._insert(db, prepared, vectors)
            self._taken(document)
            self.sentences += len(prepared.sentences)
            then(document)
            self._tell(prepared.label.path, self.sentences)

    def _vectors(self, documents: Sequence[Prepared]) -> dict[Part, int]:
        """Return the number of each part's vector, embedding and staging those that are new."""
        wanted = list(dict.fromkeys(part for document in documents for part in document.parts))
        stand = as_encoded(self._encoder, wanted)
        parts = list(dict.fromkeys(stand))
        keys = {part: key_of(part) for part in parts}
        with self._store.reading() as db:
            known = _known(db, self._model, keys.values())
        new = [part for part in parts if keys[part] not in known]
        given, self._given = self._given, {}
        elsewhere = [part for part in new if keys[part] in given]
        known.update(self._stage([(keys[part], given[keys[part]]) for part in elsewhere]))
        self.embedded += len({part.text for part in elsewhere})
        stages = list(_stages([part for part in new if keys[part] not in given]))
        # One stage is embedded while the one before it is written.
        with ahead((encode(self._encoder, stage) for stage in stages), 1) as embedded:
            for done, (some, vectors) in enumerate(zip(stages, embedded, strict=True), 1):
                half = np.asarray(vectors, np.float16)
                known.update(self._stage(list(zip((keys[p] for p in some), half, strict=True))))
                self.embedded += len({part.text for part in some})
                ready = sum(len(d.sentences) for d in documents) * done // len(stages)
                self._tell(documents[0].label.path, self.sentences + ready)
        return {part: known[keys[one]] for part, one in zip(wanted, stand, strict=True)}

    def _stage(self, vectors: Sequence[tuple[bytes, Halves]]) -> dict[bytes, int]:
        """Store vectors in one transaction, and return their numbers by key."""
        if not vectors:
            return {}
        with self._store.writing(seal=()) as db:
            first = next_number(db, "vectors")
            for number, (key, vector) in enumerate(vectors, first):
                insert_vector(db, number, self._model, key, vector.tobytes())
        return {key: number for number, (key, _) in enumerate(vectors, first)}

    def _tell(self, path: str, sentences: int) -> None:
        # Sentences count when they are embedded and again when they are written: never back.
        self._told = max(self._told, sentences)
        self._on_progress(path, self._told)

    def _insert(self, db: Database, item: Prepared, vectors: dict[Part, int]) -> int:
        number, first = next_number(db, "documents"), next_number(db, "passages")
        places = range(len(item.passages))
        whole = Whole(
            _document_row(item, number, self._generation),
            [_passage_row(item, place, first + place, number, vectors) for place in places],
            [_sentence_rows(item, place, first + place, vectors) for place in places],
            encode_content(item.document),
        )
        checks = whole.checks()
        _into(
            db,
            "documents",
            (*DOCUMENT, "arrays", "crc", "digest", "content"),
            [(*whole.row, *checks[:3], whole.content)],
        )
        passages = zip(whole.passages, checks.passages, strict=True)
        _into(db, "passages", (*PASSAGE, "crc"), [(*row, crc) for row, crc in passages])
        sentences = [(number, *row) for some in whole.sentences for row in some]
        _into(db, "sentences", ("document", *SENTENCE), sentences)
        return number


def _into(db: Database, table: str, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    marks = ", ".join("?" * len(names))
    db.executemany(f"INSERT INTO {table}({columns(names)}) VALUES({marks})", rows)


def _document_row(item: Prepared, number: int, born: int) -> tuple[object, ...]:
    """Return the columns `DOCUMENT`."""
    document, label = item.document, item.label
    blank = [page.number for page in document.pages if page.start == page.end]
    return (
        number,
        label.source,
        label.path,
        item.title,
        label.type,
        label.date or document.date,
        document.language,
        text_hash(document.text),
        len(document.text),
        len(item.sentences),
        len(document.pages),
        json.dumps(blank),
        json.dumps(document.warnings),
        now(),
        PIPELINE,
        born,
    )


def _passage_row(
    item: Prepared, place: int, number: int, document: int, vectors: dict[Part, int]
) -> tuple[object, ...]:
    """Return the columns `PASSAGE`."""
    passage, terms = item.passages[place], item.passage_terms[place]
    return (
        number,
        document,
        passage.first,
        passage.last,
        passage.start,
        passage.end,
        passage.page,
        json.dumps(passage.headings),
        passage.context,
        vectors[item.passage_parts[place]],
        " ".join(terms),
        len(terms),
    )


def _sentence_rows(
    item: Prepared, place: int, passage: int, vectors: dict[Part, int]
) -> list[tuple[object, ...]]:
    """Return the columns `SENTENCE` of each sentence of a passage."""
    rows: list[tuple[object, ...]] = []
    for index in range(item.passages[place].first, item.passages[place].last):
        sentence = item.sentences[index]
        block = item.document.blocks[sentence.block]
        vector = vectors[item.sentence_parts[index]]
        rows.append(
            (index, passage, sentence.start, sentence.end, block.kind.value, block.context, vector)
        )
    return rows


def as_encoded(encoder: Encoder, parts: Iterable[Part]) -> list[Part]:
    """Return what this encoder encodes for each part: not every model sees parts in their text."""
    if isinstance(encoder, PartEncoder):
        return list(parts)
    return [part.alone for part in parts]


def encode(encoder: Encoder, parts: Sequence[Part]) -> Vectors:
    """Return the vectors of parts as `as_encoded` gave them, shape (len(parts), dim)."""
    if isinstance(encoder, PartEncoder):
        return encoder.encode_parts(parts)
    return encoder.encode_documents([part.text for part in parts])


def _stages(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Yield parts to be embedded together: those of one text, and texts of like length."""
    by_text: dict[str, list[Part]] = {}
    for part in parts:
        by_text.setdefault(part.text, []).append(part)
    stage: list[Part] = []
    for text in sorted(by_text, key=len):  # batches of like length waste nothing on padding
        stage += by_text[text]
        if len(stage) >= STAGE:
            yield stage
            stage = []
    if stage:
        yield stage


def key_of(part: Part) -> bytes:
    """Return the key under which the vector of a part is stored."""
    return hashlib.blake2b(part.identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def insert_vector(db: Database, number: int, model: int, key: bytes, vector: bytes) -> None:
    """Store a vector under a number that is free."""
    db.execute(
        "INSERT INTO vectors(id, model, key, vector, crc) VALUES(?, ?, ?, ?, ?)",
        (number, model, key, vector, vector_crc(number, model, key, vector)),
    )


def _known(db: Database, model: int, keys: Iterable[bytes]) -> dict[bytes, int]:
    wanted = list(keys)
    known: dict[bytes, int] = {}
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        marks = ",".join("?" * len(some))
        rows = db.execute(
            f"SELECT key, id FROM vectors WHERE model = ? AND key IN ({marks})", (model, *some)
        )
        known.update((bytes(row[0]), int(row[1])) for row in rows)
    return known
