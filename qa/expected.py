"""What kind of thing a question asks for, and whether a sentence holds one.

Surface signs only: question words, digits, months, capitals. They never decide alone, they lift
a sentence among others that fit as well (answer-type matching, as in Prager et al., 2000).
"""

from __future__ import annotations

import re
from enum import StrEnum

from index.terms import index_terms
from qa.asking import decides, plainly, sides

__all__ = ["Expectation", "another_one", "expectation", "holds", "wanted_quotes"]


class Expectation(StrEnum):
    """What an answer must hold."""

    ANYTHING = "anything"
    NUMBER = "number"
    MONEY = "money"
    TIME = "time"  # a day, an hour, an age
    DURATION = "duration"  # "how long", in hours or metres
    FREQUENCY = "frequency"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    DEFINITION = "definition"
    MANNER = "manner"  # how something is done: one way, or the whole procedure
    STEPS = "steps"
    LIST = "list"


# -- the question -------------------------------------------------------------------------------

_PREPOSITION = (
    r"(?:(?:in|on|at|by|for|from|to|until|till|since|of|with|under|within|during|after|before|"
    r"about|through|up to) )?"
)
_MODAL = r"(?:is|are|was|were|do|does|did|can|could|may|must|shall|should|will|would|has|have|had)"
_PEOPLE = r"(?:people|children|men|women|persons|staff)"
# A plural noun; "is", "does" and "this" only look like one, as do "bus" and "access".
_PLURAL = rf"(?:(?!(?:does|has|his|gas)\b)\w[\w'’-]*[^\Wsui]s|{_PEOPLE})"
_NOUN_PHRASE_END = (
    rf"(?=\W*$| (?:{_MODAL}|there|of|for|in|on|at|to|from|with|that|\w+ed|I|you|we)\b)"
)
_MONEY_WORD = r"(?:money|rent|deposit|interest|compensation|tax|vat)"
_WORDS_FOR_PERSON = (
    r"(?:person|company|firm|organi[sz]ation|manager|officer|engineer|contractor|author|team|"
    r"council|committee|university|of (?:the|our|your) staff)"
)
_WORDS_FOR_PLACE = (
    r"(?:city|country|place|town|street|address|room|floor|building|village|state|region)"
)
_NO_TERM = (
    r"(?:the|my|your|his|her|its|their|our|this|that|these|those|it|there|he|she|not|on|in|at|"
    r"wrong|new|next|due|open|free|\w+ed|\w+er|said|known|kept|forbidden|done|meant)"
)

# Of a question put plainly; the first that fits counts.
_RULES = tuple(
    (kind, re.compile(rf"(?:{pattern})", re.I))
    for kind, pattern in (
        (Expectation.REASON, r"why\b|how come\b|for what reason|what (?:caused|causes)\b"),
        (Expectation.REASON, r"what (?:is|are|was|were) the (?:reasons?|cause|purpose)\b"),
        (Expectation.FREQUENCY, r"how (?:often|frequently|regularly)\b"),
        (Expectation.DURATION, rf"{_PREPOSITION}how long\b"),
        (Expectation.TIME, rf"{_PREPOSITION}(?:when|how (?:soon|late|early|old))\b"),
        (
            Expectation.TIME,
            rf"{_PREPOSITION}(?:what|which) (?:years?|dates?|days?|months?|times?|hours|"
            r"century|decade|weekdays?)\b|what (?:is|was) the (?:date|deadline|time)\b",
        ),
        (
            Expectation.MONEY,
            rf"{_PREPOSITION}how much (?:{_MONEY_WORD}|(?:{_MODAL}|the|an?|one|each)\b(?!.* "
            r"(?:weigh|hold|carry|use|used|consume|contain|save|produce|take|longer|more)\b))",
        ),
        (
            Expectation.MONEY,
            r"what (?:do|does|did|will|would|must) .+ (?:cost|pay|charge)(?=\W*$| (?:for|per|to|in|"
            r"on|at|an?|if|when|after|each|me|us|you|extra|more)\b)",
        ),
        (
            Expectation.NUMBER,
            rf"{_PREPOSITION}how (?:many|much|far|tall|high|large|big|fast|heavy|wide|deep|small|"
            r"loud|thick|hot|cold|strong|quickly)\b",
        ),
        (
            Expectation.NUMBER,
            rf"{_PREPOSITION}(?:what|which) (?:(?:is|was|are|were) the )?(?:percentage|percent|"
            r"number|proportion|share|age|size|weight|height|length|width|depth|speed|"
            r"temperature|pressure|capacity|distance|load)\b",
        ),
        (Expectation.LIST, r"who (?:are|were) (?:the|all|our|your)\b"),
        (
            Expectation.PERSON,
            rf"{_PREPOSITION}(?:who|whom|whose|(?:what|which) {_WORDS_FOR_PERSON})\b",
        ),
        (
            Expectation.PLACE,
            rf"{_PREPOSITION}(?:where|(?:what|which) {_WORDS_FOR_PLACE})\b|"
            r"what (?:is|was) the (?:address|location)\b",
        ),
        (
            Expectation.STEPS,
            rf"what (?:{_MODAL}) (?:\w+ )?(?:\w+ )?(?:not )?(?:do|be done)\b|what is to be done\b|"
            r"what (?:is|are) the (?:steps|procedure|instructions)\b",
        ),
        (
            Expectation.DEFINITION,
            r"what(?:['’]s| is| are| was| were) (?:an? |meant by)|what (?:does|do|did) .+ "
            r"(?:mean|stand for|refer to|denote)\b|what .+ means?\W*$|define\b|"
            r"(?:what is )?(?:the )?(?:meaning|definition) of\b|what (?:do|does) (?:you|one|we) "
            r"call\b|what an? .+ (?:is|was)\W*$",
        ),
        (
            Expectation.LIST,
            rf"(?:what|which) (?:are|were) (?:the|all|our|your|my)\b.*?\b{_PLURAL}\b",
        ),
        (
            Expectation.DEFINITION,
            rf"what (?:is|are|was|were) (?!{_NO_TERM}\b)[\w'’-]+(?: (?!of\b|for\b|in\b)[\w'’-]+)"
            r"{0,3}\W*$",
        ),
        # "what is the Calder 250", with a name in capitals
        (
            Expectation.DEFINITION,
            r"what(?:['’]s| is| was) the (?-i:(?:[A-Z]|\d)[\w'’-]*)(?: (?-i:(?:[A-Z]|\d)[\w'’-]*))"
            r"{0,5}\W*$",
        ),
        (
            Expectation.LIST,
            rf"{_PREPOSITION}(?:which (?:{_PLURAL}\b|(?:of (?:the|our|your|these) )?(?:[\w'’-]+ )"
            rf"{{0,2}}{_PLURAL}\b{_NOUN_PHRASE_END})|what (?:(?!{_MODAL}\b)[\w'’-]+ ){{0,2}}"
            rf"{_PLURAL}\b{_NOUN_PHRASE_END})",
        ),
        (
            Expectation.LIST,
            r"(?:list|name|enumerate|show)\b(?: me| us)? (?:all|every|the|some|any|everything|\d)|"
            r"all (?:the )?\w+s\b|(?:an? )?(?:list|overview) of\b|what else\b",
        ),
        (
            Expectation.LIST,
            r"what (?:\w+ )*?(?:includes?|included|contains?|consists? of|comprises?|proposes?|"
            r"covers?|covered|offers?|collects?|brings?|needs?|needed|wears?|packs?|prepares?|"
            r"avoids?|attach|forbidden|allowed)\b",
        ),
        (
            Expectation.MANNER,
            r"how (?:is|are|was|were|does|did|has|have)\b|how (?:do|can|could|should|must|may|"
            r"shall|will|would) .+? be\b|in what way\b|by what means\b",
        ),
        (Expectation.STEPS, rf"how (?:to|{_MODAL})\b|how (?:I|you|we|one|people|staff)\b"),
    )
)
# Of a question without a question word in front, such as "guided tours price".
_KEYWORDS = (
    (
        Expectation.MONEY,
        re.compile(r"\b(?:costs?|prices?|fees?|salary|deposit|budget|rent)\b", re.I),
    ),
    (Expectation.STEPS, re.compile(r"\b(?:steps|procedure|instructions)\b", re.I)),
    (Expectation.TIME, re.compile(r"\b(?:opening (?:hours|times)|deadline|date of)\b", re.I)),
)
# What tells two things apart, where a question compares.
_COMPARED = (
    (Expectation.TIME, re.compile(r"\b(?:old|new|young|earli|lat)e(?:r|st)\b", re.I)),
    (
        Expectation.MONEY,
        re.compile(r"\b(?:cheap|dear)e(?:r|st)\b|\b(?:expensive|costs?|prices?|pays?)\b", re.I),
    ),
    (
        Expectation.NUMBER,
        re.compile(r"\b(?:more|less|fewer|most|least|\w+er than|as \w+ as)\b|\w+(?:er|est),", re.I),
    ),
)


def expectation(question: str) -> Expectation:
    """Return what kind of thing `question` asks for; anything where yes or no would do."""
    if sides(question):
        return next((k for k, p in _COMPARED if p.search(question)), Expectation.ANYTHING)
    if decides(question):
        return Expectation.ANYTHING
    text = plainly(question)
    for kind, pattern in _RULES:
        if pattern.match(text):
            return kind
    return next((k for k, p in _KEYWORDS if p.search(text)), Expectation.ANYTHING)


_QUOTES = {
    Expectation.ANYTHING: 3,
    Expectation.REASON: 3,
    Expectation.MANNER: 2,
    Expectation.STEPS: 4,
    Expectation.LIST: 8,
}


def wanted_quotes(question: str) -> int:
    """Return how many quotes an answer to `question` takes at most.

    One for a fact, a definition or what decides a yes or no; one for each side of a comparison.
    The items that belong to one quote (`qa.unfold`) are not counted.
    """
    if compared := sides(question):
        return len(compared)
    if decides(question):
        return 1
    return _QUOTES.get(expectation(question), 1)


# -- the sentence ---------------------------------------------------------------------------------

_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|"
    r"thousand|million|billion|half|third|quarter|twice|once|none|several|percent)\b",
    re.I,
)
_MONTHS = r"January|February|March|April|May|June|July|August|September|October|November|December"
_TIME = re.compile(
    r"\b\d{4}\b|\b\d{1,2}[:.]\d{2}\b|\b\d+ ?(?:am|pm|years?|months?|weeks?|days?|hours?|minutes?|"
    rf"seconds?)\b|\b(?:{_MONTHS}|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)s?\b|"
    r"\b(?i:daily|weekly|monthly|yearly|annually|annual|quarterly|century|every|twice|once|"
    r"morning|evening|noon|midnight|year|years|months?|weeks?|days?|hours?|minutes?)\b"
)
# Years and days of a month count nothing and cost nothing.
_DATED = re.compile(
    rf"\b(?:in|since|from|until|by|of|during|before|after|to|and|year|{_MONTHS}) "
    rf"(?:1[5-9]|20)\d\d\b|\b\d{{1,2}} (?:{_MONTHS})\b",
    re.I,
)
_DURATION = re.compile(
    r"(?:\d|\b(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|quarter|"
    r"several|few)\b)[\w.,]*(?: of)?(?: an?)?(?: and an? half)?[ -]?(?:working |calendar |full )?"
    r"(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|decades?|h|min|"
    r"(?:centi|milli|kilo)?met(?:re|er)s?|[ckm]?m|feet|foot|ft|inch(?:es)?|miles?)\b|"
    r"\b(?:until|as long as|permanently|indefinitely)\b",
    re.I,
)
_FREQUENCY = re.compile(
    r"\b(?:every|each|(?:bi)?(?:annual|week|month|year|quarter|hour)ly|daily|annual|once|twice|"
    r"times|always|never|regularly|whenever|per (?:hour|day|week|month|quarter|year)|"
    r"an? (?:hour|day|week|month|quarter|year)|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days)\b",
    re.I,
)
_MONEY = re.compile(
    r"[$€£¥]|\b(?:EUR|USD|GBP|CHF|euros?|dollars?|pounds?|pence|cents?|free)\b|(?<![\w.,-])\d[\d.,]*",
    re.I,
)
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][\w'’-]+|\b[A-Z]{2,}\b")
_AGENT = re.compile(
    r"\b(?:by|manager|director|officer|president|chair\w*|secretary|owner|tenant|landlord|"
    r"company|engineer|contractor|team|staff|committee|council|person|people|he|she)\b",
    re.I,
)
_PLACE = re.compile(
    r"\b(?:in|at|on|near|from|to|inside|outside|behind|under|between|street|room|"
    r"floor|building|hall|office)\b",
    re.I,
)
_REASON = re.compile(
    r"\b(?:because|since|so that|in order to|due to|as a result|therefore|to avoid|to prevent|"
    r"reason|caused?|owing to|thanks to|for fear)\b",
    re.I,
)
_MANNER = re.compile(r"\b(?:by \w+ing|by means of|with|using|through|via)\b", re.I)
_STEP = re.compile(
    r"\W*(?:\d+[.)]|step \d|first(?:ly)?,|then,?|next,|finally,|to \w+ [^.]*?, \w+)\s|"
    r"\W*(?:please )?(?:add|apply|ask|attach|bring|call|check|choose|clean|close|complete|connect|"
    r"contact|cook|cut|drain|enter|fill|go|hand|hold|insert|leave|make|move|open|order|place|"
    r"press|pull|push|put|register|remove|report|restart|return|select|send|set|sign|stop|submit|"
    r"switch|take|tell|turn|use|wait|wash|write)\b",
    re.I,
)
_ENUMERATION = re.compile(
    r"[\w)%], [^,.;:]+(?:, [^,.;:]+)*,? (?:and|or) \w|: [^.]+(?:, | and )\w", re.I
)
# "A currier is a craftsman", "Half day: four hours", "E-4310 | Overload"
_DEFINED = re.compile(
    r"\W*(?:\d+[.)]\s)?(?P<term>[^|:.;]{1,80}?)(?:\s(?:is|are|was|were|means?|denotes?|refers? to|"
    r"stands for|is called|is defined as)\s|:\s|\s\|\s)",
    re.I,
)

_SPECIFICS = (
    re.compile(r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b", re.I),
    re.compile(r"\b(?:1[5-9]|20)\d\d\b"),
)
_NUMBERED_THING = re.compile(
    rf"\b(?!(?:{_MONTHS})\b)(?P<name>[A-Z][a-z]+) (?P<number>\d{{1,4}})\b(?![.,:]?\d)|"
    r"(?P<degrees>-?\d+) ?°"
)
_SIGNS = {
    Expectation.TIME: _TIME,
    Expectation.DURATION: _DURATION,
    Expectation.FREQUENCY: _FREQUENCY,
    Expectation.REASON: _REASON,
    Expectation.MANNER: _MANNER,
    Expectation.LIST: _ENUMERATION,
}


def holds(wanted: Expectation, sentence: str, asked: frozenset[str]) -> bool:
    """Return whether `sentence` holds a thing of the kind `wanted`.

    Args:
        wanted: What the question asks for.
        sentence: Text of a sentence.
        asked: Terms of the question: a name that the question itself has does not answer it.
    """
    match wanted:
        case Expectation.ANYTHING:
            return False
        case Expectation.NUMBER:
            return bool(_NUMBER.search(_DATED.sub(" ", sentence)))
        case Expectation.MONEY:
            return bool(_MONEY.search(_DATED.sub(" ", sentence)))
        case Expectation.PERSON:
            return _new_name(sentence, asked) or bool(_AGENT.search(sentence))
        case Expectation.PLACE:
            return _new_name(sentence, asked) and bool(_PLACE.search(sentence))
        case Expectation.DEFINITION:
            defined = _DEFINED.match(sentence)
            return defined is not None and _mostly(defined["term"], asked)
        case Expectation.STEPS:
            return bool(_STEP.match(sentence))
        case _:
            return bool(_SIGNS[wanted].search(sentence))


def another_one(question: str, sentence: str) -> bool:
    """Return whether `sentence` speaks of another one than the question: the first, not the third.

    It does when the question names an ordinal, a year, a numbered thing ("Lift 1") or a
    temperature, and the sentence names others only.
    """
    for pattern in _SPECIFICS:
        asked = {match.casefold() for match in pattern.findall(question)}
        said = {match.casefold() for match in pattern.findall(sentence)}
        if asked and said and not asked & said:
            return True
    asked_numbers, said_numbers = _numbered(question), _numbered(sentence)
    return any(
        name in said_numbers and not numbers & said_numbers[name]
        for name, numbers in asked_numbers.items()
    )


def _numbered(text: str) -> dict[str, set[str]]:
    """Return the numbers behind each capitalised word, and before each degree."""
    found: dict[str, set[str]] = {}
    for match in _NUMBERED_THING.finditer(text):
        name, number = (
            (match["name"], match["number"]) if match["name"] else ("°", match["degrees"])
        )
        found.setdefault(name.casefold(), set()).add(number)
    return found


def _new_name(sentence: str, asked: frozenset[str]) -> bool:
    return any(
        not set(index_terms(match[0])) & asked and index_terms(match[0])
        for match in _NAME.finditer(sentence)
    )


def _mostly(words: str, asked: frozenset[str]) -> bool:
    """Return whether most of the terms of `words` are among those asked for."""
    terms = set(index_terms(words))
    return 2 * len(terms & asked) > len(terms)
