"""The command that lets two servers share a library; here a few people, for a short time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from bench.loading.parcels import Parcels
from bench.loading.tally import Tally
from bench.sharing.asked import SEEN_ELSEWHERE, SEEN_HERE, TOLD, was_told
from bench.sharing.shared import Shared
from bench.sharing.slots import Slot

SERVERS = Path(__file__).resolve().parents[2] / "bench" / "servers.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on its own: what killed servers leave is no business of other tests."""
    done = subprocess.run([sys.executable, SERVERS, *arguments], capture_output=True, text=True)
    missing = "PostgreSQL is not installed" in done.stderr
    if missing and not os.environ.get("QUOTH_REQUIRE_POSTGRES"):
        pytest.skip(done.stderr)
    return done


def test_what_may_be_there_under_a_name_is_known_until_a_change_is_cut_off() -> None:
    parcels, slot = Parcels(), Slot("Ottoline")
    assert slot.sure
    first = slot.coming(parcels)
    slot.has(parcels, first)
    assert slot.sure
    assert parcels.present() == [first]
    second = slot.coming(parcels)
    assert parcels.present() == []
    slot.unknown(parcels)
    assert not slot.sure
    assert slot.maybe == [first, second]
    third = slot.coming(parcels)
    slot.has(parcels, third)
    assert slot.sure
    assert parcels.present() == [third]
    said = f"locker {first.locker}, locker {second.locker}, locker {third.locker}"
    assert parcels.gone_before(said, parcels.now() + 1) == [first, second]
    slot.going(parcels)
    slot.stays()
    assert parcels.present() == [third]
    slot.has(parcels, None)
    assert slot.sure
    assert parcels.present() == []


@pytest.mark.parametrize(
    ("status", "kind", "sentence", "refused", "told"),
    [
        (409, "library-locked", "x is being changed by process 12 on host; wait.", True, True),
        (409, "library-locked", "Documents are being added or updated just now.", True, True),
        (409, "library-locked", "Try again.", True, False),
        (409, "conflict", "x is being changed by process 12 on host; wait.", True, False),
        (500, "failed", "x is being changed by process 12 on host; wait.", False, True),
    ],
)
def test_a_refusal_that_does_not_say_who_is_in_the_way_is_seen(
    status: int, kind: str, sentence: str, refused: bool, told: bool
) -> None:
    shared = Shared([], Tally())
    body = {"type": f"urn:quoth:problem:{kind}", "detail": sentence}
    assert was_told(shared, httpx2.Response(status, json=body)) is refused
    assert (TOLD not in shared.tally.broken) is told


@pytest.mark.slow
def test_two_servers_of_a_library_tell_the_same_through_a_kill() -> None:
    done = run("--people", "4", "--minutes", "0.3", "--think", "0.5", "--json")
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout)
    assert figures["evidence"] == {}
    assert done.returncode == 0
    assert set(figures["changes by server"]) == {"A", "B"}
    assert min(figures["changes by server"].values()) > 1
    assert min(figures["checks"][seen] for seen in (SEEN_HERE, SEEN_ELSEWHERE)) > 5
    assert set(figures["servers"]) == {"alone", "A", "B"}
    for phase in ("one local server", "two servers"):
        assert figures["milliseconds"]["question"][phase]["n"] > 5
    assert {
        "what a server had accepted when it was killed is published when it runs again",
        "an upload waits for whoever writes, says for whom, and is taken in then",
        "quoth doctor finds nothing wrong from any home",
        "every quote is what the library has stored at its place",
        "no server logs an error",
    } <= set(figures["checks"])


@pytest.mark.slow
def test_servers_that_do_not_see_what_the_other_changes_are_told_of() -> None:
    done = run("--people", "2", "--minutes", "0.1", "--think", "0.5", "--apart")
    assert done.returncode == 1, done.stderr
    assert f"times: {SEEN_ELSEWHERE}\n    changed at " in done.stdout
    assert "times: in the end every server lists the same documents\n" in done.stdout
    assert "Traceback" not in done.stderr
