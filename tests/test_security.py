"""What docs/security.md promises: every claim names a test that there is, every number is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qa.web.limits import Limits
from qa.web.slow import LONGEST_HEAD, MOST_CONNECTIONS, MOST_OF_ONE, SECONDS_FOR_HEAD
from qa.web.wellformed import LONGEST_ADDRESS, LONGEST_HEADERS, MOST_HEADERS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/security.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.+) \| ((?:`tests/[^`]+`(?:, )?)+) \|$", TEXT, re.M)


@pytest.mark.parametrize(("claim", "tests"), ROWS, ids=[claim for claim, _ in ROWS])
def test_every_claim_has_its_test(claim: str, tests: str) -> None:
    for named in re.findall(r"`([^`]+)`", tests):
        file, _, name = named.partition("::")
        source = (ROOT / file).read_text("utf-8")
        assert not name or f"\ndef {name}(" in source, claim


def test_no_claim_is_without_a_test() -> None:
    table = TEXT.partition("## Shown by tests")[2].partition("## Logs")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == len(ROWS) + 2  # the head and the line below it
    assert len(ROWS) > 25


def test_the_limits_are_those_of_the_server() -> None:
    limits, told = Limits(), TEXT.partition("## Limits")[2].partition("## Shown")[0]
    for said in (
        f"{LONGEST_HEAD // 1024} kB, {SECONDS_FOR_HEAD:.0f} s to arrive, {MOST_HEADERS} headers",
        f"{LONGEST_HEADERS // 1000} kB of them; an address {LONGEST_ADDRESS:,} characters",
        f"{limits.body // 10**6} MB; an upload {limits.upload // 10**6} MB",
        f"{limits.wait:.0f} s between two parts",
        f"{MOST_CONNECTIONS:,}; {MOST_OF_ONE} from one network",
        f"{limits.requests} requests, {limits.streams} streams, {limits.uploads} uploads",
        f"{limits.all_requests} requests, {limits.all_streams:,} streams, "
        f"{limits.all_uploads} uploads",
        f"{limits.questions_at_first} at once, {limits.questions} a minute",
    ):
        assert said in told, said
