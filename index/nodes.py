"""Reading, splitting and embedding on the machines of a Ray cluster.

The machine that syncs is the only one that writes: a node that is lost takes nothing with it but
work, which is given to another. Files are read where they have the same path, as on a shared
folder; what a node cannot read, or has another content there, is read here.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import ClusterError, EncoderError, MissingExtraError
from index.fileread import FileRead, read_prepared
from index.ingest import PIPELINE, as_encoded, encode, key_of
from index.scan import Found
from index.types import Encoder

__all__ = ["Work", "as_here", "cluster", "readings"]

logger = logging.getLogger(f"quoth.{__name__}")

FILES = 32  # in one piece of work, at most
BYTES = 256_000  # in one piece of work of several files, at most
AHEAD = 3  # pieces that a node has at a time: one is read while another is embedded
TRIES = 3  # times that a piece may be lost with its node before its files are read here
_GLANCE_SECONDS = 0.2  # between two looks at whether the sync was cancelled
_NEW_NODES_SECONDS = 5.0  # between two looks at which nodes there are
_CONNECT_SECONDS = 10.0
_PATIENCE_SECONDS = 60.0  # without any node


@dataclass(frozen=True, slots=True)
class Work:
    """What every node needs to know: source, model, and how documents are prepared."""

    below: Path
    source: int
    model: str
    fingerprint: str
    pipeline: str = PIPELINE


class _Node:
    """Reads and embeds on one machine; an actor."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._loading = threading.Lock()
        self._encoder: Encoder | None = None

    def readings(self, items: Sequence[Found]) -> list[FileRead]:
        """Return the files read, with the vectors of all that is embedded of them.

        Raises:
            ClusterError: The vectors or the sentences would be others than where the sync is.
        """
        encoder = self._loaded()
        found = [read_prepared(item, self._work.below, self._work.source) for item in items]
        documents = [reading.prepared for reading in found if reading.prepared is not None]
        parts = as_encoded(encoder, (part for one in documents for part in one.parts))
        once = list(dict.fromkeys(parts))
        vectors = np.asarray(encode(encoder, once), np.float16) if once else ()
        by_key = dict(zip(map(key_of, once), vectors, strict=True))
        return [
            reading
            if (one := reading.prepared) is None
            else replace(
                reading,
                vectors={key: by_key[key] for key in map(key_of, as_encoded(encoder, one.parts))},
            )
            for reading in found
        ]

    def _loaded(self) -> Encoder:
        from index.encoder import load_encoder

        node, model = os.uname().nodename, self._work.model
        with self._loading:
            if self._encoder is None:
                try:
                    self._encoder = load_encoder(model or None, download=False)
                except EncoderError as error:
                    raise ClusterError(f"On the node {node}: {error}") from None
        if (self._encoder.fingerprint, PIPELINE) != (self._work.fingerprint, self._work.pipeline):
            raise ClusterError(
                f"The node {node} has another version of Quoth, or of the model {model}; "
                "install the same on all nodes."
            )
        return self._encoder


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Connect to the Ray cluster at an address; who is connected already stays so.

    Args:
        address: As `ray.init` takes it, "auto" for the one that runs on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        ClusterError: There is no cluster, or one of another version.
    """
    # Read when it is imported: nothing may call home.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("Ray", "ray", "A sync on a cluster") from error
    if ray.is_initialized():
        yield
        return
    try:
        _reach(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ClusterError(
            f"The Ray cluster {address} cannot be used ({reason}); start it with `ray start "
            "--head`, or sync without --ray."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raise OSError at once where nobody listens; Ray would try for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if host and port.isdigit():
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS):
            pass


def readings(
    work: Work,
    items: Sequence[Found],
    hashes: Mapping[str, str],
    meanwhile: Callable[[], None],
    cancel: threading.Event | None = None,
) -> Generator[FileRead, None, None]:
    """Yield every file once, read and embedded by the cluster, in no order.

    Close it before the connection to the cluster.

    Args:
        work: What the nodes have to know.
        items: The files.
        hashes: SHA-256 of each as it is here, by path, where that is known.
        meanwhile: Called several times a second; what it raises ends the work.
        cancel: Once set, reading a file here ends too.

    Raises:
        ClusterError: A node has another version, or there has been none for a minute.
    """
    with _Team(work) as team:
        team.waiting.extend(_pieces(items))
        while team.waiting or team.given:
            meanwhile()
            team.look_for_nodes()
            team.give()
            for piece, found in team.done():
                for item, reading in zip(piece.items, found, strict=True):
                    if not as_here(reading, hashes):
                        # What is wrong with a file is told as it is seen from here.
                        yield read_prepared(item, work.below, work.source, cancel)
                    else:
                        yield reading


def as_here(reading: FileRead, hashes: Mapping[str, str]) -> bool:
    """Return whether a node could read a file, and what it read is what is here."""
    expected = hashes.get(reading.item.path, "")
    return reading.prepared is not None and expected in ("", reading.sha256)


@dataclass(slots=True)
class _Piece:
    """Files that go to a node together, and how often they were lost with one."""

    items: Sequence[Found]
    lost: int = 0

    @property
    def unread(self) -> list[FileRead]:
        """The files as no node has read them."""
        return [FileRead(item, "no node can read it") for item in self.items]


def _pieces(items: Sequence[Found]) -> Iterator[_Piece]:
    some: list[Found] = []
    for item in items:
        if some and (len(some) == FILES or sum(one.size for one in some) + item.size > BYTES):
            yield _Piece(some)
            some = []
        some.append(item)
    if some:
        yield _Piece(some)


@dataclass(slots=True)
class _Team:
    """The nodes at work; killed when the block ends."""

    work: Work
    waiting: deque[_Piece] = field(default_factory=deque)
    given: dict[Any, tuple[str, _Piece]] = field(default_factory=dict)  # by what will come of it
    _nodes: dict[str, Any] = field(default_factory=dict)  # actors by the number of their machine
    _looked: float = float("-inf")
    _last_seen: float = field(default_factory=time.monotonic)

    def __enter__(self) -> _Team:
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        for actor in self._nodes.values():
            with suppress(ray.exceptions.RayError):
                ray.kill(actor)

    def look_for_nodes(self) -> None:
        """Let every machine that is there work, also one that has come since."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        if time.monotonic() - self._looked < _NEW_NODES_SECONDS:
            return
        self._looked = time.monotonic()
        actor = ray.remote(_Node)
        for node in ray.nodes():
            name = node["NodeID"]
            if node["Alive"] and node["Resources"].get("CPU") and name not in self._nodes:
                self._nodes[name] = actor.options(
                    num_cpus=1,
                    # One piece is read while another is embedded.
                    max_concurrency=2,
                    # A lost node is noticed here; started again elsewhere it would wait for ever.
                    max_restarts=0,
                    max_task_retries=0,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(name, soft=False),
                ).remote(self.work)
        if self._nodes:
            self._last_seen = time.monotonic()
        elif time.monotonic() - self._last_seen > _PATIENCE_SECONDS:
            raise ClusterError("The Ray cluster has had no node that works for a minute.")

    def give(self) -> None:
        """Let every node have enough to do."""
        for name, actor in self._nodes.items():
            busy = sum(1 for node, _ in self.given.values() if node == name)
            for _ in range(min(AHEAD - busy, len(self.waiting))):
                piece = self.waiting.popleft()
                self.given[actor.readings.remote(piece.items)] = name, piece

    def done(self) -> Iterator[tuple[_Piece, list[FileRead]]]:
        """Yield what is ready; as unread what nodes cannot do."""
        import ray

        if not self.given:
            time.sleep(_GLANCE_SECONDS)
            return
        ready, _ = ray.wait(list(self.given), timeout=_GLANCE_SECONDS)
        for each in ready:
            if each not in self.given:  # taken back with its node
                continue
            name, piece = self.given.pop(each)
            try:
                yield piece, ray.get(each)
            except ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, ClusterError):
                    raise error.cause from None
                logger.warning("a node failed: %s", error.cause)
                yield piece, piece.unread
            except ray.exceptions.RayError as error:
                logger.info("%s", error)
                yield from self._without(name, piece)

    def _without(self, name: str, piece: _Piece) -> Iterator[tuple[_Piece, list[FileRead]]]:
        """Take back what a lost node had; yield what was lost too often."""
        logger.warning("a node was lost; others do its work")
        self._nodes.pop(name, None)
        lost = [piece, *(one for node, one in self.given.values() if node == name)]
        self.given = {key: value for key, value in self.given.items() if value[0] != name}
        for one in lost:
            one.lost += 1
            if one.lost < TRIES:
                self.waiting.append(one)
            else:
                yield one, one.unread
