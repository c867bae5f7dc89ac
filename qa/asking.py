"""How a question is put: what comes before it, whether it wants a yes or no, what it compares.

Surface signs of English only. A question that is put in a way not foreseen here counts as
plain, as no yes/no question and as comparing nothing, which costs a little rank and no answer.
"""

from __future__ import annotations

import re

__all__ = ["decides", "plainly", "sides"]

_WH = r"(?:who|whom|whose|when|where|why|what|which|how)"
_AUX = (
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|may|might|must|will|would|shall|"
    r"should|need|ought)(?:n['’]t)?|won['’]t|can['’]t|cannot"
)
_TOWARDS = rf"(?=(?:(?:in|on|at|by|for|from|to|until|since|of) )?{_WH}\b|if\b|whether\b)"
_PLEASE = r"(?:(?:please|kindly|perhaps|possibly|maybe|also|just) )*"

# What is said before a question. After these an "if" means "whether".
_POLITE = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"(?:can|could|would|will) you {_PLEASE}(?:tell|show|give|remind|inform|explain to|"
        r"describe to|help|let) (?:me|us)(?: know| understand| find(?: out)?| please)?"
        r"(?: of| about)?,? ",
        r"(?:if|whether) (?:you|anyone) (?:can|could|would|might) (?:tell|show|explain to) "
        r"(?:me|us) ",
        rf"(?:can|could|would|will) (?:you|we|any(?:one|body)|some(?:one|body)) {_PLEASE}(?:tell|"
        rf"say|explain|clarify|check|see|find out|look up|confirm|describe) {_TOWARDS}",
        rf"(?:can|could|would|will) you {_PLEASE}(?=(?:list|name|enumerate|define|describe|"
        r"explain|summari[sz]e|quote|compare)\b)",
        r"(?:would|do) you mind (?:telling|showing|explaining to|reminding) (?:me|us) ",
        r"(?:do|did) (?:you|we) (?:happen to |perhaps |by any chance )?(?:know|remember|recall|"
        r"have (?:any|an) idea)(?: of| about)? ",
        r"does (?:any|some)(?:one|body)(?: here)? (?:happen to )?(?:know|remember|"
        r"have (?:any|an) idea)(?: of| about)? ",
        rf"(?:(?:do you have )?any|I have no) idea {_TOWARDS}",
        r"I(?:['’]d| would| should) (?:really |just |also )?(?:like|love) to (?:know|learn|hear|"
        r"find out|understand|see|ask(?: you)?)(?: about)? ",
        r"I (?:just |also )?(?:want|need|wish|have) to (?:know|ask|find out|understand)"
        r"(?: about)? ",
        r"I(?:['’]m| am| was)? (?:just |also )?(?:wonder(?:ing|ed)?|curious|trying to find out|"
        r"not sure|unsure|interested in knowing)(?: about| to know)?,? ",
        rf"I (?:do not|don['’]t|can['’]t|cannot) (?:know|remember|see|find(?: out)?) {_TOWARDS}",
        r"(?:my|one|another|the) (?:\w+ )?question (?:is|would be)[:,]? ",
        r"(?:I have )?(?:a |one )?(?:quick |short |small )?question[:,] ",
        r"(?:may|can|could|might) I (?:just |please )?ask(?: you)?(?: about)?,? ",
        rf"(?:may|can|could|might) I (?:just |please )?(?:know|find out|see) {_TOWARDS}",
        r"(?:tell|show|give|remind) (?:me|us)(?: please)?(?: about)? |let (?:me|us) know ",
        rf"explain(?: to (?:me|us))? {_TOWARDS}",
        r"it would be (?:good|nice|helpful|useful) to know ",
        r"is (?:it|there anything|anything) (?:known|clear|stated|said|written|specified|recorded)"
        rf"(?: anywhere| about)? {_TOWARDS}",
        r"(?:do|does) (?:it|they|(?:the|this|that|these|our|your|any)(?: [\w'’-]+){1,5}?) (?:say|"
        r"state|tell|specify|explain|mention|describe|show)(?: (?:to )?(?:me|us))?"
        rf"(?: anything about)? {_TOWARDS}",
    )
)
# After these an "if" is still a condition.
_INTERJECTION = re.compile(
    r"(?:(?:hi|hello|hey|please|sorry|excuse me|ok(?:ay)?|oh|so|and|but|also)(?: there| then)?\b"
    r"\s*[,!.:;–—-]*|(?:well|right|now|then|thanks|thank you|good (?:morning|afternoon|evening|"
    r"day))(?: there)?[,!.:;–—-])\s+",
    re.I,
)
# "On Sundays, is …", "When the lift fails, who …", "The display is red, what …"
_SETTING = re.compile(
    rf"(?!(?:{_AUX})\b|{_WH} (?:{_AUX})\b|(?:which|what|how) )[^?]*?,\s+"
    rf"(?=(?:{_AUX})\b|(?:(?:in|on|at|by|for|from|to) )?{_WH}\b)",
    re.I,
)
# A full stop after fewer letters may be that of "Dr. Rao".
_SENTENCE_END = re.compile(r"(?<=[!?])\s+|(?<=\w{3}\.)(?<!(?:Mrs|Ltd|Inc)\.)\s+")


def plainly(question: str) -> str:
    """Return the words that ask: "Hello, could you tell me when it opens?" is "when it opens?".

    Of several sentences it is the last with a question mark; a circumstance at the beginning
    ("When the lift fails, …") is left out. After "I'd like to know if" the result begins with
    "whether".
    """
    text = " ".join(question.split())
    parts = _SENTENCE_END.split(text)
    text = next((part for part in reversed(parts) if part.endswith("?")), text)
    before = ""
    while text != before:
        before = text
        text = _cut(_INTERJECTION, text)
        for pattern in _POLITE:
            if (rest := _cut(pattern, text)) != text:
                text = re.sub(r"^if\b", "whether", rest, flags=re.I)
                break
        if not text.startswith("whether") and not _TAG.search(text):
            text = _cut(_SETTING, text)
    return text


def _cut(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.match(text)
    return text[match.end() :] if match and text[match.end() :].strip(" ?!.") else text


_ASKS = re.compile(rf"\b{_WH}\b|^(?:{_AUX})\b", re.I)
MOST_KEYWORDS = 5


def is_keywords(question: str) -> bool:
    """Return whether a few words ask nothing, as people type them into a search box: "parking"."""
    few = len(question.split()) <= MOST_KEYWORDS
    return few and not question.rstrip().endswith("?") and not _ASKS.search(question)


# -- yes or no --------------------------------------------------------------------------------

_TAG = re.compile(
    r",\s*(?:(?:is|are|was|were|do|does|did|has|have|can|could|must|will|would|should)(?:n['’]t)? "
    r"(?:it|they|he|she|there|I|you|we)(?: not)?|right|correct|true|yes|no|(?:is|isn['’]t) that "
    r"(?:right|correct|true|so))\s*\?\s*$",
    re.I,
)
_BEGINS = re.compile(rf"(?:{_AUX})\s+(?!not\b)\w", re.I)
# Without a question mark "may 2024" and "can opener" are no questions, "can I" is one.
_BEGINS_PLAINLY = re.compile(
    r"(?:is|are|was|were|am|does|did|has)(?:n['’]t)?\s+\w|"
    rf"(?:{_AUX})\s+(?:I|you|we|they|he|she|it|one|anyone|the|an?|my|our|your|there|this|these)\b",
    re.I,
)
_OR = re.compile(
    r"(?<![/\w])or\b(?! (?:not|so|more|less|fewer|longer|later|earlier|older|younger|above|below|"
    r"any|anything|anyone|another|other|others|something|such|similar|the like)\b)",
    re.I,
)
# "Are there any cats or dogs?", "Is smoking or vaping allowed?"
_BOTH_ALIKE = re.compile(
    r"\bany\b.*\bor\b|\bor (?:[\w'’-]+ ){1,4}(?:allowed|permitted|forbidden|prohibited|possible|"
    r"included|available|needed|necessary|required|covered|refunded|accepted|open|closed|free)"
    r"\W*$",
    re.I,
)


def decides(question: str) -> bool:
    """Return whether a yes or a no would answer `question`.

    True for "May I …?", "So, is it …?", "It is free, isn't it?" and "I wonder whether …"; false
    for alternatives ("Is it free or is there a fee?") and where a polite opening asks something
    else ("Do you know who …?").
    """
    if _TAG.search(question):
        return True
    text = plainly(question)
    begins = _BEGINS if text.rstrip().endswith("?") else _BEGINS_PLAINLY
    if not begins.match(text) and not text.startswith("whether "):
        return False
    return not _OR.search(text) or bool(_BOTH_ALIKE.search(text))


# -- comparing ----------------------------------------------------------------------------------

_DEGREE = (
    r"(?:more|less|fewer|most|least|better|best|worse|worst|further|(?!(?:other|rather|water|over|"
    r"under|after|number|paper|whether|together|ever|never|former|latter|letter|order|user|"
    r"weather|winter|summer|quarter|driver|manager|caretaker|owner|rest|test|guest|interest|"
    r"request)\b)\w+(?:er|est))"
)
_HOW_ALIKE = r"(?:(?:exactly |just )?the same|equal(?:ly)?|alike|identical|different(?:ly)?|differ)"
_BETWEEN = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r".*\b(?:differences?|distinction|comparison|differs?|distinguish|choose|chang\w+)\b.*?"
        r"\bbetween (?P<a>.+?) and (?P<b>.+)",
        r".*\bcompare (?P<a>.+?) (?:and|with|to|against) (?P<b>.+)",
        r"how (?:do|does|did) (?P<a>.+?) compare (?:to|with|against) (?P<b>.+)",
        rf"(?:how|in what way) (?:do|does|did|are|is|were|was) (?P<a>.+?) and (?P<b>.+?) "
        rf"(?:compare|{_HOW_ALIKE})\b.*",
        rf"(?:(?:how|in what way) )?(?:{_AUX}) (?P<a>.+?) (?:differ|different|distinct) "
        r"(?:from|to|than) (?P<b>.+)",
        r"(?:[^,:]*[,:] )?(?P<a>.+?),? (?:vs\.?|versus|(?:compared|as opposed|in comparison|in "
        r"contrast) (?:to|with)) (?P<b>.+)",
        rf"(?:which|what|who)\b[^,:;]*\b{_DEGREE}\b[^,:;]*[,:;–—-]+ (?P<a>.+?),? or (?P<b>.+)",
        r"which\b[^,:;]*[,:;–—-]+ (?P<a>.+?),? or (?P<b>.+)",
        rf"(?:which|what|who) \w+ {_DEGREE} (?P<a>.+?) or (?P<b>.+)",
        rf"which (?:one )?of (?P<a>.+?) (?:and|or) (?P<b>.+?) (?:(?:{_AUX})\b.*)?{_DEGREE}\b.*",
        rf"(?:{_AUX}) (?P<a>.+?) or (?P<b>.+?) {_DEGREE}\b.*",
        rf"(?:{_AUX}) (?P<a>.+?) and (?P<b>.+?) {_HOW_ALIKE}\b.*",
        rf"(?:{_AUX}) (?P<a>.+?) (?:just |exactly )?(?:as \w+|the same(?: \w+)*) as (?P<b>.+)",
    )
)
_THAN = re.compile(r"(?P<first>.*?)\bthan (?P<second>.+)", re.I)
_PREPOSITION = r"(?:in|on|at|for|with|by|from|during|under|of)"
_VERB = re.compile(
    r" (?:be|become|carry|charge|consume|contain|cost|cover|earn|get|give|go|have|hold|keep|last|"
    r"make|need|offer|open|pay|produce|receive|require|run|save|serve|stay|take|travel|use|used|"
    r"weigh|work)$",
    re.I,
)
_TAIL = re.compile(
    r"(?:,| in terms of| with regard to| regarding| concerning| when it comes to| if| when)\b.*",
    re.I,
)
# Not another thing, but a number or the speaker: "as much as 20", "as long as I like".
_NO_SIDE = re.compile(
    r"(?!(?:1[5-9]|20)\d\d$)[£$€]?\d|"
    r"(?:I|you|we|it|they|he|she|one|two|three|once|twice|before|usual|expected|possible|soon|"
    r"necessary|needed|allowed|planned|this|that|these|those|ever|there)\b",
    re.I,
)
# "longer than an hour", "more than half"
_MEASURE = re.compile(
    r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|half) (?:\w+ )?(?:\w+s|hour|day|week|"
    r"month|year|minute|hundred|thousand|dozen|million|half|third)$|half$",
    re.I,
)


def sides(question: str) -> tuple[str, ...]:
    """Return the things that `question` compares, in its own words; empty if it compares none.

    "Was less used in 2023 than in 2022?" compares ("2023", "2022"), "Which is longer, the Mill
    Bridge or the Lock Bridge?" ("the Mill Bridge", "the Lock Bridge"). What both sides share (the
    electricity, the length) is not in them.
    """
    text = plainly(question).rstrip(" ?!.")
    for pattern in _BETWEEN:
        if match := pattern.fullmatch(text):
            return _clean(*match["a"].split(", "), match["b"])
    match = _THAN.fullmatch(text)
    if match is None or _MEASURE.match(match["second"]):
        return ()
    return _clean(_first_side(match["first"], match["second"]), match["second"])


def _first_side(first: str, second: str) -> str:
    """Return what `second` is compared with: its counterpart in the words before "than"."""
    if preposition := re.match(rf"{_PREPOSITION}\b", second, re.I):
        alike = re.findall(rf"\b{preposition[0]} (.+?)(?= {_DEGREE}\b|\s*$)", first, re.I)
        return str(alike[-1]) if alike else ""
    verb = re.search(rf"(?:^|\s)(?:{_AUX})\s", first, re.I)
    if not verb:
        return ""
    # Capitalised words such as "Boiler" are names, no degrees.
    degrees = [d for d in re.finditer(rf"\b{_DEGREE}\b", first) if d.start() >= verb.end()]
    # "Does Lift 3 use more", or "How much longer is Lift 3".
    subject = first[verb.end() : degrees[-1].start() if degrees else None].strip()
    if degrees and re.match(r"(?:it|there|they)\b|$", subject, re.I):  # "Is it cheaper to hire"
        subject = re.sub(r"^\s*to \w+ ", "", first[degrees[0].end() :])
    return subject


def _clean(*things: str) -> tuple[str, ...]:
    """Return the sides without what surrounds them, or nothing if one of them is no thing."""
    found = []
    for thing in things:
        side = _TAIL.sub("", thing.strip(' ,.:;"“”')).strip()
        side = re.sub(
            rf"^(?:both|either|{_PREPOSITION}|(?:that|those) of)\s+", "", side, flags=re.I
        )
        side = _VERB.sub("", side)
        if not side or _NO_SIDE.match(side):
            return ()
        found.append(side)
    return tuple(found)
