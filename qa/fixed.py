"""Fixed, honest replies to greetings and to questions about the collection itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.searcher import Searcher
from index.types import DocumentInfo
from qa.text import text
from qa.visible import one_line

__all__ = ["LISTED", "about_document", "about_notice", "fixed_reply", "listing"]

_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|howdy)(?: there| quoth)?"
    r"(?:,? how are you)?",
    re.I,
)
_THANKS = re.compile(
    r"(?:thanks?|thank you|many thanks|great|perfect|ok(?:ay)?|bye|goodbye)"
    r"(?: very much| a lot| you)?",
    re.I,
)
_ABILITY = re.compile(
    r"(?:what|how) (?:can|do) (?:you|i) (?:do|help|ask|work|use (?:you|this))(?: (?:me|you|here|"
    r"with|for me))*|who are you|what are you|help(?: me)?|how does this work|are you (?:an? )?"
    r"(?:ai|bot|robot|human|person)",
    re.I,
)
_DOCUMENTS = re.compile(
    r"(?:which|what|how many) (?:documents?|files?|sources?)(?: (?:do|are|have|can|is))?"
    r"(?: (?:you|there|i|we))?(?: (?:have|know|indexed|there|search|got|contain(?:ed)?|see))*"
    r"|(?:list|show)(?: me)?(?: all)?(?: the| your)? (?:documents?|files?|sources?)",
    re.I,
)
_ABOUT = re.compile(
    r"(?:what(?: is|'s|’s)|what does) (?:the (?:document|file) )?(?P<name>.+?)"
    r" (?:about|say|contain|cover|deal with)(?: in general)?"
    r"|(?:summari[sz]e|describe|outline) (?:the (?:document|file) )?(?P<name2>.+)",
    re.I,
)
LISTED = 20  # documents named in a list of them


def fixed_reply(question: str, searcher: Searcher) -> str | None:
    """Return the reply to a greeting or a question about the collection, or None."""
    asked = question.strip().rstrip("?!. ").strip()
    documents = list(searcher.documents.values())
    if _GREETING.fullmatch(asked):
        return text("answer.hello", documents=_collection(documents))
    if _THANKS.fullmatch(asked):
        return text("answer.welcome")
    if _ABILITY.fullmatch(asked):
        return text("answer.ability", documents=_collection(documents))
    if _DOCUMENTS.fullmatch(asked):
        return listing(documents)
    return None


def about_document(question: str, searcher: Searcher) -> DocumentInfo | None:
    """Return the document that the question wants to be told about, if it names one."""
    match = _ABOUT.fullmatch(question.strip().rstrip("?!. ").strip())
    if match is None:
        return None
    name = (match["name"] or match["name2"]).strip("\"'“”‘’ ").casefold()
    for info in searcher.documents.values():
        stem = info.name.rpartition(".")[0]
        if name in (info.name.casefold(), info.path.casefold(), stem.casefold()):
            return info
        if name.removeprefix("the ") == info.title.casefold().removeprefix("the "):
            return info
    return None


def _collection(documents: Sequence[DocumentInfo]) -> str:
    return text("answer.these", n=len(documents)) if documents else text("answer.none_yet")


def about_notice(info: DocumentInfo) -> str:
    """Return the words above the beginning of a document."""
    called = one_line(info.path)
    if info.title != info.name:
        called += f" ({one_line(info.title)})"
    return text("answer.begins", name=called)


def listing(documents: Sequence[DocumentInfo], count: int | None = None) -> str:
    """Return the reply that lists documents.

    Args:
        documents: In order of path; the first `LISTED` are named.
        count: How many there are, where `documents` are not all of them.
    """
    count = len(documents) if count is None else count
    if not count:
        return text("answer.listed_none")
    lines = [
        # Each on one line: a name with a line break in it would list a document that is none.
        one_line(info.path if info.title in (info.name, "") else f"{info.path}: {info.title}")
        for info in documents[:LISTED]
    ]
    if count > LISTED:
        lines.append(text("answer.listed_more", n=count - LISTED))
    return "\n".join([text("answer.listed", n=count), *lines])
