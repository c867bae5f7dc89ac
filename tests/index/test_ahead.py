"""Work done ahead in another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.ahead import ahead


def _ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "quoth-ahead"]


@given(st.lists(st.integers(0, 5)), st.integers(1, 8))
def test_everything_comes_in_its_order(items: list[int], most: int) -> None:
    with ahead(items, most, weight=lambda item: item) as taken:
        assert list(taken) == items
    assert not _ours()


def test_it_is_ahead_of_whoever_takes_but_no_further_than_allowed() -> None:
    done: list[int] = []

    def work() -> Iterator[int]:
        for number in range(20):
            done.append(number)
            yield number

    with ahead(work(), 3) as taken:
        assert next(taken) == 0
        until = time.monotonic() + 10
        while len(done) < 4 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.05)
        assert done == [0, 1, 2, 3], "three wait to be taken, and no other is begun"
    assert not _ours()


def test_an_item_heavier_than_all_that_may_wait_comes_too() -> None:
    with ahead([7, 9], 3, weight=lambda item: item) as taken:
        assert list(taken) == [7, 9]


def test_an_error_is_raised_where_the_item_would_have_come() -> None:
    def work() -> Iterator[int]:
        yield 1
        raise ValueError("the second one")

    with ahead(work(), 5) as taken:
        assert next(taken) == 1
        with pytest.raises(ValueError, match="the second one"):
            next(taken)
    assert not _ours()


def test_leaving_early_ends_the_other_thread() -> None:
    def work() -> Iterator[int]:
        while True:
            yield 1

    with ahead(work(), 2) as taken:
        next(taken)
    assert not _ours()


def test_meanwhile_is_called_while_nothing_is_ready_and_may_give_up() -> None:
    class EnoughError(Exception):
        pass

    halt = threading.Event()

    def work() -> Iterator[int]:
        halt.wait(60)
        yield 1

    def give_up() -> None:
        halt.set()
        raise EnoughError

    with pytest.raises(EnoughError), ahead(work(), 1, meanwhile=give_up) as taken:
        next(taken)
    assert not _ours()
