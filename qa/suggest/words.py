"""Words and patterns that show how a statement is built."""

from __future__ import annotations

import re

__all__ = [
    "AUX",
    "DATE",
    "DAY",
    "DEEDS",
    "DETERMINERS",
    "DONE",
    "FINITE",
    "MONEY",
    "NAME",
    "NUMBER",
    "ODD",
    "OPENERS",
    "PARTICIPLE",
    "PEOPLE",
    "PERSONS",
    "POINTING",
    "PREPOSITIONS",
    "PROPERTIES",
    "ROLE",
    "UNIT",
    "YOU",
]

DETERMINERS = frozenset("the a an all every each most many some any no several half".split())
# Who reads a question alone cannot know what these point to.
POINTING = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|this|that|these|those|he|she|him|his|her|hers|we|"
    r"us|our|ours|i|me|my|mine|such|same|latter|former|latest|above|below|following|previous|"
    r"aforementioned|other|others|another|here|also|however|therefore|thus|then|instead|so|too|"
    r"both|either|neither|respectively|again|later|next|else|today|yesterday|tomorrow|now|ago|"
    r"who|whom|whose|which|what|if|whether|than|because|although|while|whereas|unless|one|ones|"
    r"rest|remaining|not|never|only|even|just|et|al|etc|there|certain|various|present|current|"
    r"recent|new|given|said|particular|respective|two)\b|e\.g|i\.e|n['’]t\b",
    re.I,
)
YOU = re.compile(r"\b(?:you|your|yours|yourself)\b", re.I)
# Signs of anything but a plain sentence: quotations, lists, addresses, formulas, torn words.
ODD = re.compile(r"[\"“”„«»‘|@\\<>{}\[\]=+^*_#~?!…•;:%]|https?|www\.|--|\.\.| ['’.,]| [-–—] ")
OPENERS = frozenset(
    "in on at for after under if when as but and or so then however although while because since "
    "before during with without to by from only never not yet thus hence also here there now today "
    "once until unless despite among between within over through about of like per upon what which "
    "who whose where why how please see note nor either neither both such other another more less "
    "fewer rather instead finally perhaps maybe indeed moreover furthermore additionally similarly "
    "meanwhile conversely nevertheless nonetheless still even just well okay ok yes no oh let do "
    "i it he she they we you this that these those my our his her its their your anyone everyone "
    "someone nobody nothing something everything anything one some any none north south east west "
    "part next particularly especially mostly nearly about around approximately up later often "
    "usually thanks as".split()
)
PREPOSITIONS = frozenset(
    "in on at for of to by from with without under over into onto about between among during "
    "through and or nor but as than the a an no very more most less".split()
)
NUMBER = (
    r"(?:\d[\d,]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    r"fifteen|sixteen|eighteen|twenty|thirty|forty|fifty|sixty|hundred)"
)
UNIT = r"(?:seconds?|minutes?|hours?|(?:working |calendar )?days?|nights?|weeks?|months?|years?)"
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
DATE = (
    rf"(?:{_NTH} {_MONTH}(?: \d{{4}})?|{_MONTH} {_NTH}(?:, \d{{4}})?|{_MONTH} \d{{4}}|"
    r"(?:1[5-9]|20)\d\d)(?!\d)"
)
MONEY = (
    r"(?:[£$€] ?\d[\d.,]*(?: (?:million|billion|thousand))?|"
    r"\d[\d.,]* (?:pounds|euros|dollars|pence|cents))"
)
ROLE = (
    r"(?:accountant|administrator|architect|assembly|auditor|authority|board|buyer|caretaker|chair|"
    r"commission|committee|company|contractor|(?:\w+ )?council|court|customer|director|employee|"
    r"employer|engineer|examiner|front desk|government|head teacher|host|insurer|judge|"
    r"landlord|lessee|lessor|licensee|(?:\w+ )?manager|minister|ministry|(?:\w+ )?officer|"
    r"operator|owners?|parliament|president|secretary|seller|staff|supplier|teachers?|"
    r"technician|tenants?|treasurer|trust|trustees|volunteers)"
)
PEOPLE = re.compile(
    r"\b(?:adults|applicants|children|citizens|customers|dogs|drivers|employees|guests|"
    r"individuals?|members|participants|patients|persons?|pupils|residents|staff|students|"
    rf"tenants?|users|visitors|{ROLE[3:-1]})\b",
    re.I,
)
NAME = r"(?!The |A |An )[A-Z][\w’'-]+(?: (?:[A-Z][\w’'-]*\.?|&|of|de|van|von)){0,3} [A-Z][\w’'-]+"
# What people and bodies do to things; as simple present or past.
DEEDS = (
    r"(?:approve[sd]|appoint(?:s|ed)|arrange[sd]|assemble[sd]|build[s]|built|carrie[sd] out|"
    r"chair(?:s|ed)|check(?:s|ed)|coined|commanded|commissions|commissioned|composed|decide[sd]|"
    r"designed|develop(?:s|ed)|direct(?:s|ed)|discovered|edit(?:s|ed)|founded|inform(?:s|ed)|"
    r"inspect(?:s|ed)|insure[sd]|introduced|invented|keeps|kept|leads|led|maintain(?:s|ed)|"
    r"manage[sd]|orders|ordered|organise[sd]|organize[sd]|own(?:s|ed)|painted|pays|paid|"
    r"perform(?:s|ed)|produce[sd]|publishe[sd]|record(?:s|ed)|repair(?:s|ed)|review(?:s|ed)|"
    r"runs|ran|sends|sent|sign(?:s|ed)|supplie[sd]|tests|tested|translated|wins|won|writes|wrote)"
)
# The same done to things, as participles.
DONE = (
    r"(?:adopted|appointed|approved|arranged|attended|built|carried out|chaired|coined|"
    r"commissioned|completed|composed|created|decided|designed|developed|directed|discovered|"
    r"drafted|edited|elected|established|founded|hosted|inspected|introduced|invented|launched|led|"
    r"maintained|managed|opened|operated|ordained|organi[sz]ed|owned|paid|painted|passed|"
    r"performed|presented|produced|proposed|published|recorded|reviewed|run|signed|supplied|"
    r"tested|translated|visited|written)"
)
PERSONS = re.compile(
    r"\b(?:actor|actress|artist|author|bishop|captain|chair\w*|chancellor|chemist|composer|"
    r"director|economist|emperor|engineer|explorer|founder|general|geologist|governor|"
    r"guitarist|historian|inventor|journalist|judge|king|lawyer|leader|manager|mathematician|"
    r"member of|minister|monarch|musician|novelist|officer|painter|philosopher|physician|"
    r"physicist|player|poet|politician|president|prince|princess|professor|queen|scientist|"
    r"secretary|singer|student|surgeon|teacher|theologian|winner|writer)\b",
    re.I,
)
PROPERTIES = (
    r"(?:address|age|aim|budget|capacity|capital|charge|cost|daily allowance|deadline|deposit|"
    r"depth|diameter|duration|fee|goal|height|interval|length|limit|maximum \w+|minimum \w+|"
    r"mission|notice period|objective|penalty|population|price|purpose|rate|rated load|rent|"
    r"salary|service charge|size|speed|task|temperature|voltage|weight|width)"
)
AUX = r"(?:is|are|was|were|has|have|had|must|can|may|will|should|would|could)"
FINITE = re.compile(
    rf"\b(?:{AUX}|does|did|do|shall|might|cannot|became|began|made|said|took|went|came|{DEEDS})\b"
)
PARTICIPLE = re.compile(
    r"(?:\w+ly )?(?:\w{2,}ed|(?!open|seven|eleven|even)\w{2,}en|known|shown|drawn|grown|been|be|"
    r"built|found|held|hung|kept|left|lost|made|met|paid|put|read|run|sent|set|sold|spent|taught|"
    r"told|won|done|born)\b"
)
