"""Questions that a sentence answers: "Beds are watered every day." asks "How often …?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from qa.suggest.clause import (
    SUBJECT,
    Clause,
    Made,
    Vocabulary,
    clause,
    complete,
    cut,
    inside,
    is_noun_phrase,
    reads_well,
)
from qa.suggest.words import (
    DATE,
    DAY,
    DEEDS,
    DONE,
    MONEY,
    NAME,
    NUMBER,
    ODD,
    PARTICIPLE,
    PEOPLE,
    PERSONS,
    POINTING,
    PROPERTIES,
    ROLE,
    UNIT,
    YOU,
)

__all__ = ["of_sentence"]

_LONGEST = 400  # characters of a sentence that is looked at

Rule = Callable[[str, Vocabulary], Iterator[Made]]


def of_sentence(sentence: str, words: Vocabulary, headings: tuple[str, ...] = ()) -> Iterator[Made]:
    """Yield the questions that `sentence` answers, the best first.

    Args:
        sentence: A sentence or list item as it stands in the document.
        words: Of the documents.
        headings: Of its section, outermost first.
    """
    text = _plain(sentence)
    if defined := _term(text, headings):
        yield defined
    if not text.endswith(".") or len(text) > _LONGEST or ODD.search(text):
        return
    text = text[:-1]
    for rule in (_you,) if YOU.search(text) else _RULES:
        yield from filter(reads_well, rule(text, words))


def _plain(sentence: str) -> str:
    text = re.sub(r"\s*\([^()]{0,60}\)| (?=,)", "", " ".join(sentence.split()))
    return re.sub(r"^(?:[•*–-]|\(?\d{1,2}[.)]|\d{1,2}(?:\.\d{1,2})+)\s+", "", text)


def _asked(wh: str, parts: Clause, before: str, kind: str, answer: str) -> Iterator[Made]:
    """Yield the question of a clause whose words after `before` answer it."""
    if not complete(before) or parts.aux in ("would", "could", "should"):
        return
    if parts.aux in ("is", "are", "was", "were"):
        fits = PARTICIPLE.match(before) or answer.startswith("because")
    else:
        # "must suffice to ensure": the purpose belongs to the verb, unless something is done.
        fits = kind != "why" or re.match(r"be(?:en)? ", before) or answer.startswith("because")
    if fits:
        yield Made(f"{wh} {parts.aux} {parts.subject} {before}?", kind, answer)


def _adverbial(pattern: str, wh: str, kind: str) -> Rule:
    """Return the rule for a phrase that answers `wh` and may be left out."""
    compiled = re.compile(
        rf"(?P<before>[^,]+?) (?P<answer>{pattern})(?=$|,| (?:by|and|or|in|at|to|from)\b)"
    )

    def rule(text: str, words: Vocabulary) -> Iterator[Made]:
        parts = clause(text, words)
        if parts and (match := compiled.match(parts.rest)):
            yield from _asked(wh, parts, match["before"], kind, match["answer"])

    return rule


_often = _adverbial(
    rf"(?:once|twice|{NUMBER} times) (?:a|an|per|every|each) (?:{NUMBER} )?{UNIT}|"
    rf"every (?:{NUMBER} |other |second )?(?:{UNIT}|morning|evening|{DAY})|"
    r"on the (?:first|last) \w+ of (?:each|every) month|daily|weekly|monthly|quarterly|annually",
    "How often",
    "often",
)
_soon = _adverbial(rf"within (?:{NUMBER}|an?|one) {UNIT}", "How quickly", "soon")
_long = _adverbial(rf"for (?:at least |up to )?(?:{NUMBER}|an?|one) {UNIT}", "For how long", "long")
_since = _adverbial(rf"since {DATE}", "Since when", "when")
_until = _adverbial(rf"until {DATE}", "Until when", "when")
_when = _adverbial(rf"(?:on|in|between) (?:the )?{DATE}", "When", "when")
_why = _adverbial(
    r"(?:because (?!of\b)|so that |in order to |to (?:prevent|avoid|make sure|ensure|protect) ).+",
    "Why",
    "why",
)
_DATED = re.compile(rf"(?:In|On) (?P<answer>{DATE}),? (?P<clause>.+)")


def _dated(text: str, words: Vocabulary) -> Iterator[Made]:
    if match := _DATED.fullmatch(text):
        parts = clause(match["clause"][0].upper() + match["clause"][1:], words)
        if parts and parts.aux in ("was", "were"):
            yield from _asked("When", parts, cut(parts.rest), "when", match["answer"])


_PLACED = re.compile(
    r"(?P<before>kept|stored|located|situated|displayed|parked|buried|born) "
    r"(?P<answer>(?:in|at|on|near|behind|under|next to) (?![-–\d]|[A-Z][a-z]+ \d).+)"
)


def _where(text: str, words: Vocabulary) -> Iterator[Made]:
    parts = clause(text, words)
    if parts and parts.aux in ("is", "are", "was", "were"):
        if match := _PLACED.fullmatch(parts.rest):
            yield from _asked("Where", parts, match["before"], "where", cut(match["answer"]))


# Who ---------------------------------------------------------------------------------------------

_WHO = re.compile(
    rf"(?P<who>The {ROLE}|{NAME}|The [A-Z][\w’'-]+) "
    rf"(?P<rest>(?:(?:is|are|was|were) (?:responsible for|in charge of|liable for)|{DEEDS}) .+)"
)
_WHO_MUST = re.compile(
    rf"(?P<who>The {ROLE}) (?P<rest>(?:must|may|can) (?!not\b|also\b|be\b|have\b)\w+ .+)"
)


def _who(text: str, words: Vocabulary) -> Iterator[Made]:
    if match := _WHO.fullmatch(text) or _WHO_MUST.fullmatch(text):
        yield Made(f"Who {cut(match['rest'])}?", "who", match["who"])


_PAST = {"written": "wrote", "run": "ran"}
_BY = re.compile(
    rf"(?P<participle>{DONE}) by (?P<answer>(?:the )?(?:{ROLE}|{NAME}|"
    r"representatives|members|experts|specialists|researchers|scientists|students)\b.*)"
)


def _by(text: str, words: Vocabulary) -> Iterator[Made]:
    parts = clause(text, words)
    match = _BY.fullmatch(parts.rest) if parts else None
    if parts is None or match is None:
        return
    answer = cut(match["answer"])
    if parts.aux in ("was", "were"):
        past = _PAST.get(match["participle"], match["participle"])
        yield Made(f"Who {past} {parts.subject}?", "who", answer)
    elif parts.aux in ("is", "are"):
        yield Made(f"Who {parts.aux} {parts.subject} {match['participle']} by?", "who", answer)


# How many, how much ------------------------------------------------------------------------------

_NOUN = (
    r"(?P<noun>(?!more\b|other\b|further\b|additional\b|different\b|of\b)"
    r"[a-z][a-z-]*(?: (?!of\b)[a-z-]+){0,2}?s)"
)
_COUNTED = re.compile(
    rf"(?:A total of )?(?P<number>{NUMBER}) {_NOUN} (?P<aux>were|are) (?P<rest>.+)", re.I
)
_HAS = re.compile(
    rf"{SUBJECT} (?P<verb>has|have|had|contains?|contained) (?P<number>{NUMBER}) {_NOUN}"
    r"(?:,.*| (?:in|on|and|with|for|of)\b.*)?"
)
_THERE = re.compile(
    rf"There (?P<aux>are|were) (?P<number>{NUMBER}) {_NOUN} (?P<where>(?:in|at|on) [^,]+)(?:,.*)?"
)
_MEASURES = re.compile(
    rf"\b(?:{UNIT}|percent|per cent|cents|times|points|degrees|metres|miles|pounds)\b"
)
_DOES = {"has": "does", "contains": "does", "had": "did", "contained": "did"}


def _counted(text: str, words: Vocabulary) -> Iterator[Made]:
    match = _THERE.fullmatch(text) or _HAS.fullmatch(text) or _COUNTED.fullmatch(text)
    if match is None or _MEASURES.search(match["noun"]):
        return
    noun, number = match["noun"], match["number"]
    if match.re is _THERE:
        yield Made(f"How many {noun} {match['aux']} there {match['where']}?", "count", number)
    elif match.re is _COUNTED:
        yield Made(f"How many {noun} {match['aux']} {cut(match['rest'])}?", "count", number)
    elif is_noun_phrase(match["subject"]) and (subject := inside(match["subject"], words)):
        verb = "contain" if match["verb"].startswith("contain") else "have"
        do = _DOES.get(match["verb"], "do")
        yield Made(f"How many {noun} {do} {subject} {verb}?", "count", number)


# One verb, one question --------------------------------------------------------------------------

_ABOUT = r"(?:about |around |up to |at least |at most |only )?"
_QUANTITY = rf"{_ABOUT}{NUMBER} (?:\w+ )?{UNIT}"
# (singular, plural, base, question, what answers)
_VERBS: tuple[tuple[str, str, str, str, str], ...] = (
    ("costs", "cost", "cost", "How much", rf"{_ABOUT}{MONEY}"),
    ("takes", "take", "take", "How long", _QUANTITY),
    ("lasts", "last", "last", "How long", _QUANTITY),
    ("weighs", "weigh", "weigh", "How much", rf"{_ABOUT}\d[\d.,]* ?(?:kg|g|kilograms|pounds|tons)"),
    ("runs until", "run until", "run", "Until when", DATE),
    ("ends on", "end on", "end", "When", DATE),
    ("begins on", "begin on", "begin", "When", DATE),
    ("expires on", "expire on", "expire", "When", DATE),
    ("consists of", "consist of", "consist of", "What", r"\w.+"),
    ("stands for", "stand for", "stand for", "What", r"\w.+"),
    ("depends on", "depend on", "depend on", "What", r"(?:the|how|whether|what) .+"),
    ("applies to", "apply to", "apply to", "What", r"\w.+"),
    ("belongs to", "belong to", "belong to", "Who", r"(?:the|[A-Z]).+"),
    ("includes", "include", "include", "What", r"\w.+"),
    ("covers", "cover", "cover", "What", r"(?:the|all|[a-z]+s) .+"),
    ("replaces", "replace", "replace", "What", r"(?:the|[a-z]+ \d|[A-Z]).+"),
)


def _verb(text: str, words: Vocabulary) -> Iterator[Made]:
    for singular, plural, base, wh, answers in _VERBS:
        pattern = rf"{SUBJECT} (?P<verb>{singular}|{plural}) (?P<answer>{answers})(?:\b.*)?"
        match = re.fullmatch(pattern, text)
        if match is None or not is_noun_phrase(match["subject"]):
            continue
        several = _several(match["subject"])
        if several is not (match["verb"] == plural) or not (
            subject := inside(match["subject"], words)
        ):
            continue
        kind = "what" if wh in ("What", "Who") else "how"
        does = "do" if several else "does"
        yield Made(f"{wh} {does} {subject} {base}?", kind, cut(match["answer"]))


def _several(subject: str) -> bool | None:
    """Return whether a subject is plural, or None where its words do not agree."""
    head = re.split(r" (?:of|for|in|on) ", subject)[0]
    several = " and " in subject or bool(re.search(r"[^su]s$", head))
    single = re.match(r"(?:an?|each|every)\b", subject, re.I)
    return None if several and single else several


# What --------------------------------------------------------------------------------------------

_PROPERTY = re.compile(
    rf"The (?P<what>{PROPERTIES}(?P<of> (?:of|for|in) [^,]{{3,50}}?)?) (?P<aux>is|was) "
    r"(?P<answer>(?!not\b|also\b|being\b|the same\b|\w+ed\b).+)"
)
_IS_A = re.compile(
    r"(?P<what>An? [a-z][\w-]*(?: [a-z][\w-]*){0,2}|(?:The )?[A-Z][\w’'-]*(?: (?:[A-Z\d][\w’'-]*|"
    r"of|the)){0,4}) (?P<aux>is|are|was) (?P<answer>(?:an?|the|one of the) [^,]+.*)"
)
_ARE = re.compile(
    r"(?P<what>[A-Z][a-z-]+(?: [a-z-]+){0,2}s) (?P<aux>are) "
    r"(?P<answer>(?!not\b|also\b)(?:[a-z-]+ ){0,2}[a-z-]+s (?:that|which|used|made)\b.+)"
)
_VAGUE = re.compile(r"(?:an?|the|one of the) (?:same|example|result|reason|case|only|best|most)\b")


def _property(text: str, words: Vocabulary) -> Iterator[Made]:
    match = _PROPERTY.fullmatch(text)
    # "The aim is to help": whose aim?
    if match and (match["of"] or re.search(r"\d", match["answer"])):
        yield Made(f"What {match['aux']} the {match['what']}?", "property", match["answer"])


def _what(text: str, words: Vocabulary) -> Iterator[Made]:
    match = _IS_A.fullmatch(text) or _ARE.fullmatch(text)
    if match is None or not is_noun_phrase(match["what"]) or _VAGUE.match(match["answer"]):
        return
    what = inside(match["what"], words)
    if what is None or (match.re is _IS_A and re.match(r"[a-z]+ (?!.*[A-Z])", what[4:])):
        return
    person = bool(PERSONS.search(cut(match["answer"]))) and what[0].isupper()
    # Two capitalised words may be a person or a thing, and "was" tells neither.
    named = re.fullmatch(r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)+", what)
    if person or not (named or match["aux"] == "was"):
        wh = "Who" if person else "What"
        yield Made(f"{wh} {match['aux']} {what}?", "what", match["answer"])


# Yes or no ---------------------------------------------------------------------------------------

_MUST_NOT = re.compile(rf"{SUBJECT} (?P<aux>must|may|can) ?not (?P<rest>.+)")
_STATE = re.compile(
    r"(?:forbidden|prohibited|allowed|permitted|included|refundable|refunded|mandatory|compulsory|"
    r"optional|free of charge)\b.*"
)


def _may(text: str, words: Vocabulary) -> Iterator[Made]:
    match = _MUST_NOT.fullmatch(text)
    if match and is_noun_phrase(match["subject"]):
        # "The menu may not appear" forbids nothing.
        forbids = match["aux"] != "may" or PEOPLE.search(match["subject"])
        if forbids and (subject := inside(match["subject"], words)):
            aux = "Can" if match["aux"] == "can" else "May"
            yield Made(f"{aux} {subject} {cut(match['rest'])}?", "may")
        return
    parts = clause(text, words)
    if parts and parts.aux in ("is", "are") and _STATE.fullmatch(parts.rest):
        yield Made(f"{parts.aux.capitalize()} {parts.subject} {cut(parts.rest)}?", "may")


_YOU_MAY = re.compile(
    r"You (?P<aux>can|may|must)(?P<not> ?not)? (?P<rest>(?!be\b|have\b|need\b|want\b|see\b|find\b|"
    r"notice\b|enjoy\b|learn\b|still\b|also\b|then\b|indeed\b|\w+ly\b)[a-z].*)"
)
_YOU_ENDS = re.compile(
    r",| (?:(?:after|before|during) )?(?:if|when|where|while|so|because|unless|which|but|such)\b"
)


def _you(text: str, words: Vocabulary) -> Iterator[Made]:
    match = _YOU_MAY.fullmatch(text)
    if match is None:
        return
    rest = _YOU_ENDS.split(match["rest"], maxsplit=1)[0]
    rest = re.sub(r"\byourself\b", "myself", re.sub(r"\byour\b", "my", rest))
    if (
        YOU.search(rest)
        or not complete(rest)
        or POINTING.search(re.sub(r"\bmy(?:self)?\b", "", rest))
    ):
        return
    asks = {"can": "Can I", "may": "May I", "must": "Do I have to"}[match["aux"]]
    if match["aux"] == "must" and match["not"]:
        asks = "May I"
    yield Made(f"{asks} {rest}?", "you")


# A term ------------------------------------------------------------------------------------------

_TERM = re.compile(r"(?P<term>[A-Z][\w’' -]{2,40}?): (?P<answer>(?:an?|the|any|every|all|work) .+)")
_TERMS = re.compile(r"definition|glossary|meaning of|terms|abbreviation", re.I)


def _term(text: str, headings: tuple[str, ...]) -> Made | None:
    match = _TERM.fullmatch(text)
    if match is None or not headings or not _TERMS.search(headings[-1]):
        return None
    term = match["term"]
    return Made(f"What does “{term[0].lower() + term[1:]}” mean?", "term", match["answer"])


_RULES: tuple[Rule, ...] = (
    _why, _often, _soon, _long, _since, _until, _when, _dated, _by, _who, _counted, _verb,
    _property, _what, _may, _where,
)  # fmt: skip
