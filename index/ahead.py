"""Work done in a thread of its own, some way ahead of whoever takes what comes of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

__all__ = ["ahead"]

T = TypeVar("T")

_GLANCE_SECONDS = 0.1  # between two calls of `meanwhile`


@contextmanager
def ahead(
    items: Iterable[T],
    most: int,
    *,
    weight: Callable[[T], int] = lambda item: 1,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[Iterator[T]]:
    """Iterate over `items` in another thread; give an iterator over the same, in their order.

    What `items` raises is raised where its next item would have been taken. When the block is left,
    the other thread ends with the item that it works on.

    Args:
        items: Used in the other thread alone.
        most: While as much or more waits to be taken, no other item is begun; at least 1.
        weight: Of an item.
        meanwhile: Called now and then while nothing is ready; may raise.
    """
    work = _Ahead(most, weight)
    thread = threading.Thread(target=work.do, args=(items,), name="quoth-ahead", daemon=True)
    thread.start()
    try:
        yield work.taken(meanwhile)
    finally:
        work.stop()
        thread.join()


class _Ahead(Generic[T]):
    def __init__(self, most: int, weight: Callable[[T], int]) -> None:
        self._most, self._weight = most, weight
        self._changed = threading.Condition()
        self._ready: deque[T] = deque()
        self._waiting = 0  # weight of what is ready
        self._over = self._stopped = False
        self._error: BaseException | None = None

    def do(self, items: Iterable[T]) -> None:
        """Work until the items are over or nobody wants them any more."""
        each = iter(items)
        try:
            while self._may_go_on():
                item = next(each)
                with self._changed:
                    self._ready.append(item)
                    self._waiting += self._weight(item)
                    self._changed.notify_all()
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - raised where the items are taken
            self._error = error
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _may_go_on(self) -> bool:
        """Return whether another item is wanted, once there is room for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting < self._most)
            return not self._stopped

    def taken(self, meanwhile: Callable[[], None]) -> Iterator[T]:
        """Yield the items as they are ready."""
        while self._wait_for_one(meanwhile):
            with self._changed:
                item = self._ready.popleft()
                self._waiting -= self._weight(item)
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def _wait_for_one(self, meanwhile: Callable[[], None]) -> bool:
        """Return whether there is an item, once that can be told."""
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._ready or self._over, _GLANCE_SECONDS):
                    return bool(self._ready)
            meanwhile()

    def stop(self) -> None:
        """Let the other thread end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
