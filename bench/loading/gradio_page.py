"""The chat of the page as its script uses it: Gradio's queue, and the messages it draws."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import lxml.html

from bench.loading.visitor import Visitor

__all__ = ["Drawn", "GradioPage"]

_CONFIG = re.compile(r"window\.gradio_config = (\{.*?\});</script>", re.DOTALL)
_ENDS = "the page is told how every question ended"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What stands on the page: questions and answers, oldest first.

    Attributes:
        asked: Number ("" until it is kept) and words of each question.
        answers: The classes and the number of each answer.
        refs: Places that the last answer links to.
        said: The words of its first quote.
    """

    asked: tuple[tuple[str, str], ...]
    answers: tuple[tuple[frozenset[str], str], ...]
    refs: tuple[str, ...]
    said: str

    @property
    def pending(self) -> bool:
        """Whether an answer is still being looked for."""
        return bool(self.answers) and "pending" in self.answers[-1][0]

    @classmethod
    def of(cls, messages: list[dict[str, Any]]) -> Drawn:
        """Return what these messages show."""
        parts = [
            lxml.html.fragment_fromstring(message["content"][0]["text"]) for message in messages
        ]
        asked = [part for part in parts if "asked" in part.classes]
        answers = [part for part in parts if "answer" in part.classes]
        last = answers[-1] if answers else None
        links = [] if last is None else list(last.iterlinks())
        refs = [link.removeprefix("#cite/") for _, _, link, _ in links if link.startswith("#cite/")]
        quotes = [] if last is None else last.find_class("words")
        said = next((_words(q) for q in quotes if q.getparent().get("class") == "said"), "")
        return cls(
            asked=tuple(
                (
                    (part.get("id") or "").removeprefix("asked-"),
                    _words(part.find_class("bubble")[0]),
                )
                for part in asked
            ),
            answers=tuple((frozenset(part.classes), _number(part, "turn-")) for part in answers),
            refs=tuple(refs),
            said=said,
        )


class GradioPage:
    """An open page; `open` before anything else."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._hash = ""
        self._functions: dict[str, int] = {}
        self._cancelled: list[int] = []
        self._start = 0
        self._open: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Load the page; until it is closed or opened again, its heartbeat is heard."""
        await self.close()
        found = _CONFIG.search(await self._visitor.arrive())
        if found is None:
            raise RuntimeError("the page has no configuration of Gradio's")
        config = json.loads(found[1])
        names = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
        for function in config["dependencies"]:
            for part, _ in function["targets"]:
                if function["cancels"]:
                    self._cancelled = function["cancels"]
                else:
                    self._functions[names[part]] = function["id"]
        self._hash = secrets.token_hex(6)
        self._start = self._visitor.server.starts
        heart = f"/gradio_api/heartbeat/{self._hash}"
        self._open = asyncio.create_task(self._visitor.hold_open(lambda: heart))

    async def close(self) -> None:
        """Leave the page."""
        if self._open is not None:
            self._open.cancel()
            with suppress(asyncio.CancelledError):
                await self._open
            self._open = None

    async def ask(
        self,
        question: str,
        conversation: str,
        *,
        stop_after: float | None = None,
        first: Callable[[], None] = lambda: None,
    ) -> Drawn | None:
        """Return what is drawn in the end; None where it was refused or stopped.

        Args:
            question: That is typed.
            conversation: Where it belongs.
            stop_after: Seconds after which a person changes their mind.
            first: Called when the answer is drawn.

        Raises:
            CutOffError: The server was killed meanwhile.
        """
        if self._start != self._visitor.server.starts:
            await self.open()
        context = json.dumps({"conversation": conversation, "documents": None})
        event = await self._join("question", [question, context])
        stopping = None
        if stop_after is not None:
            stopping = asyncio.create_task(self._stop(stop_after, event, context))
        try:
            drawn = await self._drawn(event, first)
        finally:
            if stopping is not None:
                await stopping
        return None if stopping is not None else drawn

    async def show(self, conversation: str) -> Drawn | None:
        """Return what is drawn of a stored conversation, as after a reload."""
        order = json.dumps({"conversation": conversation, "do": "show"})
        return await self._drawn(await self._join("run", [order]), lambda: None)

    async def _join(self, element: str, data: list[str]) -> str:
        joined = await self._visitor.json(
            "join the queue", "POST", "/gradio_api/queue/join", json=self._order(element, data)
        )
        return str(joined["event_id"])

    def _order(self, element: str, data: list[str]) -> dict[str, Any]:
        function = self._functions[element]
        return {
            "data": data, "event_data": None, "fn_index": function, "trigger_id": None,
            "session_hash": self._hash,
        }  # fmt: skip

    async def _drawn(self, event: str, first: Callable[[], None]) -> Drawn | None:
        path = f"/gradio_api/queue/data?session_hash={self._hash}"
        steps, drawn, completed = 0, None, False
        async with aclosing(self._visitor.events("hear the queue", "GET", path)) as events:
            # To its end, which comes when nothing of this page is under way any more.
            async for name, said in events:
                if name == "refused":
                    return None
                if said.get("event_id") != event:
                    continue
                output = said.get("output") or {}
                if said["msg"] == "process_generating":
                    # The first one shows that it is being looked for.
                    steps += 1
                    if steps == 2:
                        first()
                if said["msg"] == "process_completed":
                    completed = True
                    self._visitor.tally.check(_ENDS, said["success"], said)
                    drawn = Drawn.of(output["data"][0]) if output.get("data") else None
        self._visitor.tally.check(_ENDS, completed, f"{self._visitor.name}: not {event}")
        return drawn

    async def _stop(self, seconds: float, event: str, context: str) -> None:
        """Press the button that stops, as the script of Gradio carries it out."""
        await asyncio.sleep(seconds)
        began = time.perf_counter()
        await self._join("stop", [context])
        for function in self._cancelled:
            body = {"session_hash": self._hash, "fn_index": function, "event_id": event}
            await self._visitor.send("cancel", "POST", "/gradio_api/cancel", json=body)
        self._visitor.tally.took("stop a question", time.perf_counter() - began)


def _number(part: lxml.html.HtmlElement, prefix: str) -> str:
    return (part.get("id") or "").removeprefix(prefix)


def _words(part: lxml.html.HtmlElement) -> str:
    return " ".join(part.text_content().split())
