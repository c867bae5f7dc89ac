"""Questions that the documents can answer, found in the background: once for each generation."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from index.errors import QuothError

if TYPE_CHECKING:
    from index import Library

__all__ = ["Suggestions"]

logger = logging.getLogger(f"quoth.{__name__}")

_SECONDS_TO_FINISH = 15.0


class Suggestions:
    """The suggested questions of one library, by generation; finding them takes a while."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._looking: int | None = None  # the generation that is looked through now
        self._found: tuple[int, tuple[str, ...]] | None = None
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """Wait for what is being looked for; a model at work while Python ends aborts it."""
        thread = self._thread
        if thread is not None:
            thread.join(_SECONDS_TO_FINISH)

    def get(self) -> tuple[int, tuple[str, ...] | None]:
        """Return the generation and its questions; None while they are being looked for."""
        generation = self._library.generation
        with self._lock:
            if self._found is not None and self._found[0] == generation:
                return self._found
            if self._looking is None:
                self._looking = generation
                self._thread = threading.Thread(target=self._look, args=(generation,), daemon=True)
                self._thread.start()
        return generation, None

    def _look(self, generation: int) -> None:
        from qa.suggest import suggested_questions

        questions: tuple[str, ...] = ()
        try:
            questions = tuple(suggested_questions(self._library))
        except QuothError as error:
            # Nobody waits for suggestions; what is wrong is told to whoever asks a question.
            logger.info("no questions to suggest: %s", error)
        finally:
            with self._lock:
                self._found, self._looking = (generation, questions), None
