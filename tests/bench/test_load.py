"""The command that lets many people use one server; here a few, for a short time."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.loading.growth import growth
from bench.loading.ledger import Talk, Turn, check_list, check_talk
from bench.loading.material import places
from bench.loading.parcels import Parcels
from bench.loading.scene import faults
from bench.loading.tally import Tally
from qa.web.logs import DiscreetFormatter

LOAD = Path(__file__).resolve().parents[2] / "bench" / "load.py"


def test_a_slope_is_found_within_its_error_whatever_the_levels() -> None:
    noise = np.random.default_rng(7)
    times = np.arange(0.0, 300.0)
    runs = [
        [(at, level + 2 * at + noise.normal(0, 30)) for at in times] for level in (1_000, 5_000)
    ]
    found = growth(runs)
    assert found is not None
    assert abs(found.an_hour - 7_200) < found.error < 3_000
    assert found.clearly()


def test_noise_and_a_single_step_are_no_clear_growth() -> None:
    noise = np.random.default_rng(3)
    still = growth([[(at, 1e6 + noise.normal(0, 3e4)) for at in range(600)]])
    step = growth([[(at, 1e6 + 1e5 * (at > 290) + noise.normal(0, 3e4)) for at in range(600)]])
    assert still is not None
    assert step is not None
    assert not still.clearly()
    assert step.an_hour > 0
    assert growth([[(0.0, 1.0), (1.0, 2.0)]]) is None


def test_places_are_told_apart_by_every_fact() -> None:
    every = places(120)
    assert len({place.name for place in every}) == 120
    for place in every:
        assert all(says in place.text for _, says in (place.first, *place.follow_ups))
        assert place.first[0].count(place.name) == 1
        assert not any(place.name in question for question, _ in place.follow_ups)
    with pytest.raises(ValueError, match="120"):
        places(121)


def turn(id: int, question: str) -> dict[str, object]:
    return {"id": id, "question": question, "answer": None}


def test_a_turn_that_is_lost_doubled_or_moved_is_seen() -> None:
    said = [Turn(3, "a", ()), Turn(5, "b", ())]
    for found, holds in (
        ([turn(3, "a"), turn(5, "b")], True),
        ([turn(3, "a"), turn(5, "b"), turn(8, "stopped")], True),
        ([turn(3, "a")], False),
        ([turn(5, "b"), turn(3, "a")], False),
        ([turn(3, "a"), turn(5, "b"), turn(9, "of somebody else")], False),
        ([turn(3, "a"), turn(5, "b"), turn(8, "stopped"), turn(9, "stopped")], False),
        ([turn(3, "a"), turn(5, "other words")], False),
    ):
        tally, talk = Tally(), Talk("x", turns=list(said), maybe=["stopped"])
        check_talk(tally, "somebody", talk, found)
        assert (not tally.broken) is holds, found


def test_a_list_with_anything_else_than_ones_own_is_seen() -> None:
    talks = {
        "a": Talk("a", turns=[Turn(1, "one", ())]),
        "b": Talk("b", turns=[Turn(2, "two", ()), Turn(4, "four", ())]),
        "c": Talk("c", maybe=["stopped"]),
    }
    a, b, c = ({"id": id, "turns": n} for id, n in (("a", 1), ("b", 2), ("c", 1)))
    for listed, holds in (
        ([b, a], True),
        ([c, b, a], True),
        ([a, b], False),
        ([b], False),
        ([b, a, a], False),
        ([b, a, {"id": "d", "turns": 1}], False),
        ([{"id": "b", "turns": 3}, a], False),
    ):
        tally = Tally()
        check_list(tally, "somebody", talks, listed)
        assert (not tally.broken) is holds, listed


def test_a_parcel_counts_as_gone_only_for_questions_that_came_later() -> None:
    parcels = Parcels()
    first, second = parcels.new("Ottoline"), parcels.new("Perpetua")
    second.known = 1.0
    assert parcels.present() == [second]
    second.going, second.gone = 2.0, 3.0
    said = f"The parcel is kept in locker {second.locker}."
    assert parcels.gone_before(said, 2.5) == []
    assert parcels.gone_before(said, 3.5) == [second]
    assert parcels.gone_before(f"locker {first.locker}", 9.0) == []
    assert parcels.present() == []


def test_an_error_in_the_log_of_the_server_is_seen() -> None:
    formatter = DiscreetFormatter("quoth: %(message)s")
    try:
        raise LookupError("secret")
    except LookupError:
        record = logging.LogRecord(
            "quoth.qa", logging.ERROR, "", 1, "it failed", (), sys.exc_info()
        )
    said = formatter.format(record)
    assert faults(said) == [said.splitlines()[1]]
    assert len(faults("quoth: POST /api/ask: The library is damaged.\nuvicorn.error: x")) == 2
    usual = "quoth: wrong password from 127.0.0.1\nquoth: indexed 12 sentences in 0.3 s\n"
    assert faults(usual + "Quoth is at http://127.0.0.1:7860 (Ctrl+C stops it)") == []


@pytest.mark.slow
def test_a_few_people_get_what_is_theirs_through_a_kill() -> None:
    arguments = ["--people", "4", "--minutes", "0.5", "--think", "1", "--password", "--json"]
    # On its own: what the killed server leaves of its connections is no business of other tests.
    run = subprocess.run([sys.executable, LOAD, *arguments], capture_output=True, text=True)
    assert run.stdout, run.stderr
    figures = json.loads(run.stdout)
    assert figures["evidence"] == {}
    assert run.returncode == 0
    assert figures["answers"] > 0
    assert figures["changes of documents"] > 0
    assert figures["server"]["growth"] is None  # too short to say
    assert {
        "an answer quotes what the person asked about",
        "every turn that was acknowledged is there, in order, none twice",
        "nothing is wrong with the library in the end",
        "the server ends in good order when it is told to",
    } <= set(figures["checks"])
