"""Memory with an end: what was used last stays."""

from __future__ import annotations

from qa.web.latest import Latest


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    kept: Latest[str, int] = Latest(2)
    kept["a"], kept["b"] = 1, 2
    assert kept.use("a") == 1
    kept["c"] = 3
    assert list(kept.items()) == [("a", 1), ("c", 3)]
    kept["a"] = 4
    kept["d"] = 5
    assert list(kept.items()) == [("a", 4), ("d", 5)]
    assert kept.use("b") is None
