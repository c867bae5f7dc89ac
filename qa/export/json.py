"""Questions and answers as JSON: the exact texts, and all that is needed to check them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from index.types import Citation, DocumentInfo
from qa.export.copying import copy_line
from qa.export.parts import ExportedTurn, documents_of
from qa.lines import disagreement_sentence
from qa.render import escape_json, to_plain
from qa.types import Answer, Disagreement, Passage, Quote

__all__ = ["VERSION", "turns_to_dict", "turns_to_json"]

VERSION = 1  # of the form below; a reader of version 1 may meet further keys


def turns_to_json(title: str, turns: Sequence[ExportedTurn], made_at: str) -> str:
    """Return `turns_to_dict` as indented JSON; `json.loads` gives back the exact text."""
    plain = turns_to_dict(title, turns, made_at)
    return escape_json(json.dumps(plain, ensure_ascii=False, indent=2)) + "\n"


def turns_to_dict(title: str, turns: Sequence[ExportedTurn], made_at: str) -> dict[str, Any]:
    """Return the turns as JSON-ready values, texts exactly as stored.

    A quote can be checked by itself: SHA-256 of the document's text is `text_hash`, and
    characters [`start`, `end`), counted in code points from 0, are `text`. `file_sha256` is that
    of the file which the document was read from; `quoth verify` compares all of it.
    """
    files = {number: digest for turn in turns for number, digest in turn.files.items()}
    return {
        "quoth": VERSION,
        "title": title,
        "exported_at": made_at,
        "turns": [_turn(turn) for turn in turns],
        "documents": [_document(info, files.get(info.id)) for info in documents_of(turns)],
    }


def _turn(turn: ExportedTurn) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "question": turn.question,
        "asked_at": turn.asked_at,
        "where": to_plain(turn.where),
        "problem": turn.problem,
        "lost": turn.lost,
        "answer": None,
    }
    if turn.answer is not None:
        plain["answer"] = _answer(turn.answer)
    return plain


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "searched_for": answer.searched_for,
        "generation": answer.generation,
        "abstained": answer.abstained,
        "confidence": answer.confidence,
        "decides": answer.decides,
        "notice": answer.notice,
        "missing_words": list(answer.missing_words),
        "quotes": [_quote(quote, number) for number, quote in enumerate(answer.quotes, 1)],
        "disagreements": [_disagreement(pair, answer) for pair in answer.disagreements],
        "nearest": [_passage(passage) for passage in answer.nearest],
    }


def _quote(quote: Quote, number: int) -> dict[str, Any]:
    short = None
    if quote.short is not None:
        inside = slice(quote.short.start - quote.start, quote.short.end - quote.start)
        short = {**to_plain(quote.short), "text": quote.text[inside]}
    return {
        "number": number,
        "text": quote.text,
        **_place(quote.citation),
        "context": quote.context,
        "short": short,
        "also_at": [_place(other) for other in quote.also_at],
        "copy": copy_line(quote),
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {"text": passage.text, **_place(passage.citation), "why": list(passage.why)}


def _disagreement(pair: Disagreement, answer: Answer) -> dict[str, Any]:
    return {
        "about": pair.about,
        "sentence": disagreement_sentence(pair, answer.quotes),
        "first": _place(pair.first.citation) | {"text": pair.first.text},
        "second": _place(pair.second.citation) | {"text": pair.second.text},
    }


def _place(citation: Citation) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(citation)
    return plain


def _document(info: DocumentInfo, file_sha256: str | None) -> dict[str, Any]:
    # Where the file lies on this machine is nobody else's business.
    plain: dict[str, Any] = to_plain(info)
    del plain["file"], plain["source"]
    return {**plain, "file_sha256": file_sha256}
