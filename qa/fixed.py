"""Fixed, honest replies to greetings and to questions about the collection itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.searcher import Searcher
from index.types import DocumentInfo

__all__ = ["about_document", "fixed_reply"]

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
LISTED = 20


def fixed_reply(question: str, searcher: Searcher) -> str | None:
    """Return the reply to a greeting or a question about the collection, or None."""
    asked = question.strip().rstrip("?!. ").strip()
    documents = list(searcher.documents.values())
    if _GREETING.fullmatch(asked):
        return f"Hello. Ask me something about {_collection(documents)}."
    if _THANKS.fullmatch(asked):
        return "You are welcome. Ask on if you like."
    if _ABILITY.fullmatch(asked):
        return (
            f"I answer questions about {_collection(documents)}, in the documents' own words, "
            "and show where each sentence stands. When the documents do not say, I say so. "
            "I do not make up sentences and I know nothing but these documents."
        )
    if _DOCUMENTS.fullmatch(asked):
        return _listing(documents)
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
    if not documents:
        return "your documents (none is indexed yet)"
    return (
        "the one document here" if len(documents) == 1 else f"the {len(documents)} documents here"
    )


def _listing(documents: Sequence[DocumentInfo]) -> str:
    if not documents:
        return "No document is indexed yet."
    lines = [
        f"{info.path}" + (f": {info.title}" if info.title not in (info.name, "") else "")
        for info in documents[:LISTED]
    ]
    if len(documents) > LISTED:
        lines.append(f"and {len(documents) - LISTED} more")
    count = "One document is" if len(documents) == 1 else f"{len(documents)} documents are"
    return f"{count} indexed:\n" + "\n".join(lines)
