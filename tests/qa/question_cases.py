"""Questions of every kind, each with what a good answer holds, worked out by reading.

They are about the example documents and a few texts below, where a kind had no material.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CASES", "TEXTS", "Case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question and what is right for the person who asks.

    Words of documents count whatever their case and white space; a quote's context (the header
    of its table, the lead-in of its list) belongs to it.

    Attributes:
        after: Questions asked before it in the conversation.
        first: One of these stands in the first quote.
        some: One of these stands in some quote.
        every: Each of these stands in some quote.
        short: The words that answer, marked in the first quote.
        silent: The documents do not say. Together with `first`: that, or a quote that sets right
            what the question takes for granted.
    """

    question: str
    after: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    short: str = ""
    silent: bool = False


def first(question: str, *words: str, short: str = "", after: tuple[str, ...] = ()) -> Case:
    return Case(question=question, first=words, short=short, after=after)


def fact(question: str, words: str, short: str) -> Case:
    return Case(question=question, first=(words,), short=short)


def some(question: str, *words: str) -> Case:
    return Case(question=question, some=words)


def every(question: str, *words: str, after: tuple[str, ...] = ()) -> Case:
    return Case(question=question, every=words, after=after)


def silent(question: str, after: tuple[str, ...] = ()) -> Case:
    return Case(question=question, silent=True, after=after)


def corrected(question: str, *words: str) -> Case:
    return Case(question=question, first=words, silent=True)


# Files, by name.
TEXTS = {
    "museum.txt": (
        "The Leather Museum of Pellan Bridge\n\n"
        "The museum was founded in 1962 by Agnes Thorley, who gave it her collection of boots. "
        "It holds 2,316 pieces, of which 140 are shown. The oldest is a child's shoe from about "
        "1340. In 2019 saddles were lent to museums in Portugal, Norway and Japan. The museum is "
        "shut in January, because the hall cannot be heated.\n\n"
        "A currier is a craftsman who dresses and colours leather after it has been tanned. "
        "Every Sunday at 14:00 one shows how it was done.\n"
    ),
    "bridges.txt": (
        "Bridges over the Lowe\n\n"
        "The Mill Bridge was designed by Ewart Pym and opened in 1874. It is 62 metres long and "
        "carries lorries of up to 18 tonnes.\n\n"
        "The Lock Bridge was opened in 1931. It is 48 metres long and closed to all motor "
        "traffic, since its hangers have rusted.\n\n"
        "Unlike a weir, which only holds the water back, a sluice has a gate that can be opened. "
        "The sluice beside the Lock Bridge is opened twice a day.\n"
    ),
    "words.md": (
        "# Words of the tannery\n\n"
        "- Bark liquor: water in which ground oak bark has been steeped.\n"
        "- Fleshing: scraping the remains of meat from a hide.\n"
        "- Layer pit: a pit in which hides lie between layers of bark.\n"
    ),
    "rowing.md": (
        "# Lowe Rowing Club\n\n"
        "The club trains twice a week, on Mondays and Thursdays at 18:30. Membership costs £96 a "
        "year, for pupils £30. New members have to swim 200 metres in their clothes.\n\n"
        "## Hiring a boat\n\n"
        "To hire a boat, members do the following:\n\n"
        "1. Sign the book in the boathouse.\n"
        "2. Put on a life jacket.\n"
        "3. Check the weather board.\n"
        "4. Leave the key of the padlock with the warden.\n"
    ),
}

CASES: dict[str, tuple[Case, ...]] = {
    "who": (
        fact("Who took the minutes of the tenants' council?", "Minutes taken by", "Callum Price"),
        fact("Who built the leather works?", "built in 1911 by Jonas Aldwick", "Jonas Aldwick"),
        fact("Who designed the Mill Bridge?", "designed by Ewart Pym", "Ewart Pym"),
        fact("Who founded the Leather Museum?", "by Agnes Thorley", "Agnes Thorley"),
        first("Who is the director of the Harrowmere Quay Trust?", "Marguerite Oyelaran"),
        first("Who signed the lease for Ferris Ceramics?", "Nadia Ferris"),
        first(
            "Whom do I ask for the key of the goods lift?",
            "Ask the caretaker for the key",
            "The caretaker gives the key",
        ),
        first("Who orders the spare door operator board?", "Ines Halloran orders the spare board"),
        first("Which of the staff can lower Lift 1 by hand?", "João Figueira and Callum Price"),
        first("Who is the chair of the Flood Forum?", "Elspeth Marchetti, mayor of Brackwater"),
        first(
            "Who may look at the camera recordings?",
            "the facilities manager and the data protection officer",
        ),
    ),
    "when": (
        fact("When was the Harrowmere Quay Trust founded?", "was founded in 1998", "1998"),
        fact("When did Lift 1 get its LC-400 controller?", "November 2019", "November 2019"),
        fact("When was the Mill Bridge opened?", "Ewart Pym and opened in 1874", "1874"),
        fact('When does the exhibition "Hides and Tides" open?', "opens on", "21 June 2024"),
        fact("When was the leak in the basement found?", "6 November 2023", "6 November 2023"),
        first("When is the emergency intercom tested?", "on the first Monday of each month"),
        first("At what time does the caretaker ride in the lifts?", "every morning before 08:00"),
        first("When will the fifth meeting of the Forum be held?", "in September 2025"),
        first("By when are claims paid that arrive by the 10th?", "are paid by the 25th"),
        first("When is the blue drum emptied?", "on the first working day of each month"),
        first("When was the lease of Unit 7 signed?", "on 15 September 2023"),
    ),
    "where": (
        fact("Where is the eye shower?", "The eye shower is in the yard", "in the yard"),
        fact("Where did guests from outside the town stay?", "accommodated at", "Seamen's Rest"),
        fact("Where do the guided tours start?", "Tours start at", "at the front desk"),
        first("Where does the tenants' council meet?", "Boiler Room"),
        first("Where do I leave my bag in the archive?", "bags stay in the lockers"),
        first("Where must a kiln stand?", "on the north wall"),
        first("Where is the accident book?", "the accident book at the front desk"),
        first("Where is Tanner's Yard?", "14 Quay Street in Harrowmere"),
        first("In which room does Tom Beckwith work?", "Room: 5.04"),
        first("Where will the racks for bicycles be?", "behind the boiler house"),
        first("Where were saddles of the Leather Museum lent to?", "Portugal, Norway and Japan"),
    ),
    "how many": (
        fact("How many pupils presented a flood plan?", "34 pupils from Quay Street", "34"),
        fact("How many pieces does the Leather Museum hold?", "It holds 2,316 pieces", "2,316"),
        fact("How many tanning pits have been preserved?", "have been preserved", "12"),
        first("How many LC-400 technicians must the contractor have?", "at least two technicians"),
        first("How many keys to Unit 7 were handed over?", "hands over four keys to Unit 7"),
        first("How many people does the soup serve?", "Serves six"),
        first("On how many days of 2023 was the air in the stacks too humid?", "on 41 days"),
        first("How many participants may a course in Unit 7 have?", "at most 12 participants"),
        first("How many persons may ride in Lift 1?", "630 kg, 8 persons"),
        first("How many items can I order in the archive for one day?", "Up to six items"),
        first("How many warnings were issued in all?", "41 warnings"),
    ),
    "how much": (
        fact("How much does a new seal for a flood board cost?", "which cost £46 each", "£46"),
        fact("How much is a scan in the archive?", "scans for £0.50 a page", "£0.50"),
        fact("How much does parking at Salt Lane cost?", "it costs £1.40 an hour", "£1.40"),
        fact("How much is membership of the rowing club?", "Membership costs £96", "£96"),
        first("How much do you charge for cleaning a room?", "we charge £40 for cleaning"),
        first("How much did the new lamps in the stairwells cost?", "They cost £8,700"),
        first("What does a soup lunch cost?", "a soup lunch for £8.50"),
        first("How much interest is due on late rent?", "interest of 4 per cent a year"),
        first("How much is a door motor?", "Door motor"),
        first("How much was the invoice for the repair of Lift 2?", "The invoice was £1,071"),
        first("How much water does the Calder 400 take out at 20 °C?", "19 L in 24 h"),
    ),
    "how often": (
        fact("How often does the rowing club train?", "trains twice a week", "twice a week"),
        fact("How often did a gauge take a reading?", "every 15 seconds", "every 15 seconds"),
        first("How often must electrical equipment in Unit 7 be tested?", "every two years"),
        first("How often does bus 6 run on Sundays?", "on Sundays every hour"),
        first("How often do the front desk staff practise entrapments?", "twice a year"),
        first("How often should the tank of the dehumidifier be cleaned?", "tank once a month"),
        first("How often should the sensors of the gauges be inspected?", "twice a year"),
        first("How often does the office of the Forum move?", "moves every two years"),
        first("How often is the accident book read?", "reads it once a month"),
        first("How often is the sluice opened?", "is opened twice a day"),
    ),
    "how long": (
        fact("How long does the self-test take?", "self-test, which takes", "two minutes"),
        fact("How long must a burn be cooled?", "cool running water", "20 minutes"),
        fact("How long did the building stand empty?", "stood empty for 24 years", "24 years"),
        fact("How long is the Mill Bridge?", "It is 62 metres long", "62 metres"),
        first("How long did the longest entrapment of 2023 last?", "the longest lasted 52 minutes"),
        first("How long does the emergency light last on the battery?", "for at least one hour"),
        first("How long is the visitor book kept?", "Visitor book"),
        first("How long does one walk from the station?", "a nine-minute walk"),
        first("How long do I wait before I switch the Calder on again?", "at least three minutes"),
        first("How long does a visit to a passenger lift take?", "takes about 90 minutes"),
        first("How long does the soup keep in the fridge?", "It keeps for three days"),
        first("How long will the work on Lift 3 take?", "will take about seven weeks"),
    ),
    "why": (
        first("Why may only technicians work in the control cabinet?", "stay at 400 volts"),
        first("Why should no ice be put on a burn?", "since it damages the skin further"),
        first("Why are both passenger lifts never serviced at once?", "so that wheelchair users"),
        first("Why are old bound volumes not scanned?", "because the spines break easily"),
        first("Why are smoke machines forbidden?", "because they set off the fire alarm"),
        first("Why did Upper Lowe not come?", "because of local elections"),
        first("Why does Lift 3 use so much electricity?", "keeps the motor's fan running"),
        first("Why was one flood missed?", "because two gauges were offline"),
        first("Why may only VB-12 batteries be used?", "other types can overheat"),
        first("Why should the windows wait?", "because the size of the heat pump depends"),
        first("Why is the museum closed in January?", "because the hall cannot be heated"),
        first("What is the reason that no cars cross the Lock Bridge?", "its hangers have rusted"),
    ),
    "how": (
        first("How do I change the language of the display?", "choose Language and confirm"),
        first("How do I book a room?", "Write to Callum Price at the front desk"),
        every("How do I claim travel expenses?", "Fill in form F-12", "within 30 days after"),
        first("How should a burn be covered?", "loosely with cling film"),
        first("How do I get to see documents in the archive?", "Order the documents at least"),
        first("How do I report that a lift is broken?", "tells the front desk"),
        first("How can the soup be made vegan?", "use oil instead of butter"),
        every(
            "How do I hire a boat?",
            "Sign the book in the boathouse",
            "Put on a life jacket",
            "Check the weather board",
            "Leave the key of the padlock",
        ),
        every(
            "How do I take a lift with the LC-400 out of service?",
            "Send the lift to the floor",
            "Turn the key switch to PARK",
            "Put a notice on every floor",
        ),
        first("How were the spiders kept out?", "a conical cover solved the problem"),
    ),
    "list": (
        first("Which countries borrowed saddles?", "Portugal, Norway and Japan"),
        every("What are the ingredients of the soup?", "pearl barley", "3 leeks", "2 carrots"),
        every("Which rooms can I hire?", "Boiler Room", "Drying Loft", "Bark Store"),
        every("What does the service charge cover?", "Cleaning", "Heating", "Reserve fund"),
        every("Which error codes are there?", "E-4301", "E-4302", "E-4310", "E-4412", "E-5107"),
        every("What must I not do with a burn?", "ice", "toothpaste", "blisters"),
        first("Which councils took part in the meeting?", "St Olave, Pellan Bridge and Ness Haven"),
        every(
            "Which actions did the tenants' council agree on?",
            "orders the spare board",
            "sends a drawing to all tenants",
            "updates the opening hours",
        ),
        first("Which alterations may the landlord not refuse?", "shelves, partitions"),
        every("What are the house rules?", "Music must end", "Candles", "Leave the room swept"),
        first("What is not covered by the lift policy of 2024?", "does not cover the hoist"),
        every("Which lifts are there and what load has each?", "630 kg", "1,000 kg", "2,000 kg"),
    ),
    "yes/no": (
        first("May I take my bicycle in Lift 1?", "Bicycles may be taken only in Lift 2"),
        first("Do I need receipts for the meal allowance?", "No receipts are needed"),
        first("Is first class refunded?", "First class is refunded only if"),
        first("Can I cancel a room three weeks before for free?", "up to 14 days before the event"),
        first("Do you sell personal data?", "We do not sell data"),
        first("Are extension leads allowed?", "extension leads are not permitted"),
        first("Does the warranty cover a blocked filter?", "a blocked filter is not covered"),
        first("Is the reading room of the archive free?", "reading room is free"),
        first("Did the Forum agree on the tidal gate?", "did not reach agreement"),
        first("Is the Lock Bridge open to cars?", "closed to all motor traffic"),
        first("May staff lower Lift 3?", "Lift 2 and Lift 3 must not be lowered by staff"),
        first("Do new members of the club have to swim?", "have to swim 200 metres"),
    ),
    "definition": (
        first("What is a maintenance visit?", "planned work by the contractor"),
        first('What does "out of service" mean?', "switched off at the main switch or parked"),
        first("What is bark liquor?", "water in which ground oak bark"),
        first("What is the Lowe Estuary Flood Forum?", "a voluntary association of five towns"),
        first("What is a currier?", "a craftsman who dresses and colours leather"),
        first("What is fleshing?", "scraping the remains of meat"),
        first("Define sluice", "a sluice has a gate that can be opened"),
        first("What is the Calder 250?", "keeps archives, workshops and cellars dry"),
        first("What is meant by a half day?", "A half day is four hours"),
        first("What do you call a pit with hides between layers of bark?", "Layer pit"),
    ),
    "comparison": (
        every("Is the Mill Bridge older than the Lock Bridge?", "opened in 1874", "opened in 1931"),
        first("What is the difference between a weir and a sluice?", "Unlike a weir"),
        every("Which is longer, the Mill Bridge or the Lock Bridge?", "62 metres", "48 metres"),
        every("What is cheaper, the Boiler Room or the Bark Store?", "Boiler Room", "Bark Store"),
        every("Which can carry more, Lift 1 or Lift 2?", "630 kg", "1,000 kg"),
        first("Is the Calder 400 louder than the Calder 250?", "44 dB(A)"),
        first("Was less electricity used in 2023 than in 2022?", "9.4 per cent less", "213.0"),
        every("Is a call-out on Sunday dearer than on Saturday?", "340.00", "290.00"),
        every(
            "How does the rule for Lift 2 in a fire differ between 2021 and 2024?",
            "Lift 1 and Lift 2 travel to the ground floor",
            "Lift 2 and Lift 3 do not",
        ),
        every("Do adults and children pay the same for a tour?", "£6 for adults and £3"),
    ),
    "follow-up": (
        first("What is her phone number?", "01632 960114", after=("Who manages the facilities?",)),
        first("And the Lock Bridge?", "in 1931", after=("When was the Mill Bridge opened?",)),
        first(
            "And the Drying Loft?",
            "£320",
            after=("What does the Boiler Room cost for a full day?",),
        ),
        first(
            "How many electric ones may be operated?",
            "two electric kilns",
            after=("Why are gas kilns not permitted?",),
        ),
        first("How heavy is it?", "14.5 kg", after=("What is the Calder 250?",)),
        first("And on Sunday?", "Day: Sunday", after=("Is the archive open on Saturday?",)),
        first(
            "On which days does he work?", "Monday to Saturday", after=("Who is the caretaker?",)
        ),
        first(
            "When does building start?",
            "17 June 2024",
            after=("How many places will the bicycle store have?",),
        ),
        first("Why?", "the hall cannot be heated", after=("When is the Leather Museum shut?",)),
        first("How much is a new one?", "BO-2305", after=("What does E-5107 mean?",)),
        first(
            "And who was it before her?",
            "Peter Lindqvist",
            after=("Who is the facilities manager?",),
        ),
        first(
            "How quickly must they come if a person is trapped?",
            "45 minutes",
            "within 60 minutes",
            after=("Which company maintains the lifts?",),
        ),
        first(
            "When was the Harrowmere Quay Trust founded?",
            "founded in 1998",
            after=("How should a burn be covered?", "And what must not be put on it?"),
        ),
    ),
    "unanswerable": (
        silent("Who was the architect of Tanner's Yard?"),
        silent("What is the password of the wireless network?"),
        silent("How many steps do the stairs of Tanner's Yard have?"),
        silent("When was the fire alarm last tested?"),
        silent("What is Nadia Ferris's phone number?"),
        silent("How much rent does Café Lime Pit pay?"),
        silent("How fast do the lifts travel?"),
        silent("Who is the mayor of Ness Haven?"),
        silent("How deep is the Lowe at Harrowmere?"),
        silent("How many boats does the rowing club own?"),
        silent("What colour is the Mill Bridge?"),
        silent("And how old is he?", after=("Who is the caretaker?",)),
        silent("Who won the football world cup in 1998?"),
        silent("What is the boiling point of mercury?"),
        silent("How do I renew my passport?"),
    ),
    "wrong premise": (
        first("What do I pay for a projector in the Drying Loft?", "included in the other rooms"),
        first("Which cameras watch the stairwells?", "There are no cameras in the lifts"),
        first("To which countries are personal data sent?", "We do not transfer personal data"),
        first("How much alcohol is refunded per meal?", "Alcohol is not refunded"),
        first("Which chemicals does the Calder 250 need?", "needs no chemicals"),
        first("When did the towns agree on the tidal gate?", "did not reach agreement"),
        some("On which days in December are there tours?", "there are no tours"),
        corrected("Why did the university refuse to pay for the trial?", "Brackwater (£6,200)"),
        corrected("How many staff work for the Flood Forum?", "It has no staff of its own"),
        silent("When did the Mill Bridge collapse?"),
        silent("Why was João Figueira dismissed?"),
        silent("Who replaced Priya Venn?"),
    ),
    "typing errors": (
        some("how ofen is the lfit inspected", "every four weeks", "every eight weeks"),
        first("wher is the defibrilator", "hangs behind the front desk"),
        first("phone numbr of the caretakr", "01632 960117"),
        first("guided tuors price", "Guided tours cost £6"),
        first("waranty calder 250", "The warranty is three years"),
        first("what is the dposit for unit 7", "a deposit of £4,600"),
        first("meal alowance ful day", "£34"),
        first("who is the mayer of Brackwater", "Elspeth Marchetti"),
        first("what is a taning pitt", "a brick-lined basin"),
        first("can i bring my dgo", "Assistance dogs are welcome", "Other dogs may wait"),
        first("wen was the mill brige opend", "opened in 1874"),
    ),
    "one keyword": (
        first("defibrillator", "hangs behind the front desk"),
        first("parking", "parking spaces in the yard", "parking tickets"),
        first("alcohol", "Alcohol is not refunded"),
        first("spiders", "spiders had spun webs"),
        first("Gluten", "The soup contains gluten"),
        first("sublet", "The Tenant may sublet"),
        first("glaze?", "Glaze residues", "Glaze goes into"),
        first("Castellane", "A. Castellane"),
        first("fleshing", "scraping the remains of meat"),
        first("WARRANTY", "warranty is three years"),
    ),
    "quoted phrase": (
        first('"night mode"', "night mode"),
        first('"false alarms"', "three were false alarms"),
        first('"Hides and Tides"', "Hides and Tides"),
        first('What does the lease say about the "consumer price index"?', "may then rise by"),
        first('"conical cover"', "a conical cover solved the problem"),
        first('Who pays "two thirds"?', "Fund pays two thirds"),
        first("“symbolic £1”", "for a symbolic £1"),
        first('"seven weeks"', "about seven weeks"),
        first('Where does it say "bound by a contract"?', "bound by a contract"),
        silent('"seventeen purple elephants"'),
    ),
    "code": (
        first("What does E-4304 mean?", "No answer from the door operator"),
        first("E-4420", "shows E-4420 until it has cooled down"),
        first("BO-3012", "Backup battery VB-12"),
        first("What is BO-5001?", "Operator training"),
        first("HQ-77120", "the policy number is HQ-77120"),
        first("what is P-25 for", "the pump P-25, which lifts the water"),
        first("Which refrigerant does the Calder 400 have?", "R290, 120 g"),
        first("F-12", "Fill in form F-12"),
        first("DS-250-07", "Document DS-250-07"),
        first("The display shows E-4301, what do I do?", "Remove the obstacle"),
        first("e-4302", "The door closes too slowly"),
        first("error 4310", "Overload"),
        silent("What does E-4305 mean?"),
        silent("BO-9999"),
    ),
}
