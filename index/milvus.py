"""Milvus: collections of vectors and words, on a server or in a Milvus Lite file.

A row stands for a sentence or a passage, with its document, so that documents can be left out of
a search and deleted. Passages carry their words too, as a sparse vector: the part of BM25 that
depends on the passage; a query carries the part that depends on the whole (Robertson and Zaragoza,
2009). Milvus's own BM25 function computes both from one segment and one state of the collection,
which would not be the generation that is searched.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from index.address import without_password
from index.errors import LibraryError, LibraryUnreachableError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Milvus", "passage_words", "query_words"]

T = TypeVar("T")
logger = logging.getLogger(f"quoth.{__name__}")

SECONDS = 30.0  # that a call may take
CONNECT_SECONDS = 10.0
SENTENCE, PASSAGE, MARK = 0, 1, 2  # what a row stands for
MOST_HITS = 16_384  # that Milvus gives
_MISSING = 100  # its code for a collection that is not there
_LOST = (2, 101)  # those for a server that is away, or has not loaded the collection (again)
_AWAY = ("connect", "channel", "unavailable", "closed")
# A new connection is tried at once, whatever an earlier one to the same address has met with.
_CHANNEL = {"grpc.use_local_subchannel_pool": 1, "grpc.max_reconnect_backoff_ms": 2000}
_K1, _B, _MEAN_LENGTH = 1.5, 0.5, 120.0  # of BM25; what is proposed is scored anew
_NOTHING = {0: 1e-6}  # a sparse vector may not be empty
_OLDEST = (2, 4)


def passage_words(terms: Sequence[str]) -> dict[int, float]:
    """Return the sparse vector of a passage with these terms, repeats among them."""
    counts: dict[int, int] = {}
    for term in terms:
        place = _place(term)
        counts[place] = counts.get(place, 0) + 1
    longer = _K1 * (1 - _B + _B * len(terms) / _MEAN_LENGTH)
    found = {place: count * (_K1 + 1) / (count + longer) for place, count in counts.items()}
    return found or _NOTHING


def query_words(weights: Mapping[str, float]) -> dict[int, float]:
    """Return the sparse vector of a query, its terms with their inverse document frequency."""
    return {_place(term): weight for term, weight in weights.items()}


@lru_cache(maxsize=100_000)
def _place(term: str) -> int:
    # 0 stands for nothing; two terms in one place cost a proposal now and then.
    digest = hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return 1 + int.from_bytes(digest, "big") % 0xFFFF_FFF0


# Whoever opens a Milvus Lite file in this process shares one server, which the last one ends.
_USERS: Counter[str] = Counter()
_FILES = threading.Lock()


def _close(file: str) -> None:
    from milvus_lite.server_manager import server_manager_instance

    with _FILES:
        _USERS[file] -= 1
        if not _USERS[file]:
            server_manager_instance.release_server(file)


class Milvus:
    """A connection to one server or file, safe from many threads."""

    def __init__(self, address: str) -> None:
        """Connect.

        Args:
            address: "http://host:19530", with "user:password@" where it wants that (or MILVUS_TOKEN
                set to "user:password"); or the path of a Milvus Lite file.

        Raises:
            MissingExtraError: pymilvus is not installed.
            LibraryUnreachableError: It does not answer, or lets nobody in.
            LibraryError: It is too old.
        """
        self.name = without_password(address)
        self._address = address
        self._file = None if "://" in address else address
        self._loaded: set[str] = set()
        self._lock = threading.Lock()
        self._ended = False
        self._failures = 0  # to connect again
        self._failure: Exception | None = None  # the last of them
        self._client = self._connected(address)
        version = str(self._ask(lambda c: c.get_server_version(timeout=CONNECT_SECONDS)))
        self.lite = version.startswith("milvus_lite")
        if not self.lite and _number(version) < _OLDEST:
            self.close()
            oldest = ".".join(map(str, _OLDEST))
            raise LibraryError(
                f"Milvus at {self.name} is version {version}; Quoth needs {oldest} or newer."
            )

    def _connected(self, address: str) -> Any:  # noqa: ANN401 - pymilvus is untyped
        os.environ.setdefault("PYTHON_DOTENV_DISABLED", "1")  # it would read .env files
        try:
            from pymilvus import MilvusClient
            from pymilvus.exceptions import MilvusException
        except ImportError as error:
            raise MissingExtraError("pymilvus", "milvus", "A library in Milvus") from error
        # They write tracebacks of what is told here in a sentence.
        for name in ("pymilvus", "milvus_lite", "grpc"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        scheme, mark, rest = address.partition("://")
        user, at, host = rest.rpartition("@")
        token = unquote(user) if at else os.environ.get("MILVUS_TOKEN", "")
        place = f"{scheme}{mark}{host}" if mark else address
        try:
            # Two that open one file at once would be two servers of it.
            with nullcontext() if self._file is None else _FILES:
                client = MilvusClient(
                    place,
                    token=token,
                    timeout=CONNECT_SECONDS,
                    dedicated=True,
                    grpc_options=_CHANNEL,
                )
                if self._file is not None:
                    _USERS[self._file] += 1
        except (MilvusException, OSError) as error:
            if self._file is not None:
                raise LibraryUnreachableError(
                    f"{self.name} cannot be opened: another process uses it (Milvus Lite is for "
                    "one at a time; `milvus-lite server` or Milvus are for several), or the disk "
                    "does not allow it."
                ) from error
            raise self._unreachable(error) from error
        return client

    def close(self) -> None:
        """End the connection; a Milvus Lite file is closed with it."""
        with self._lock, suppress(Exception):
            self._ended = True
            self._client.close()
        if self._file is not None:
            _close(self._file)

    def _ask(self, call: Callable[[Any], T]) -> T:
        """Return what `call` gives of the client; a server that was away meanwhile is asked again.

        Whatever is asked may be asked twice: rows are stored in place of those with their ids.
        """
        client = self._client
        with self._explained():
            try:
                return call(client)
            except Exception as error:
                if self._file is not None or not _is_lost(error):
                    raise
                return call(self._again(client))

    def _again(self, lost: Any) -> Any:  # noqa: ANN401 - pymilvus is untyped
        """Return a new connection in place of one that was lost."""
        failures = self._failures
        with self._lock:
            if self._client is lost:
                if self._ended:
                    raise LibraryError("The library is closed; open it again.")
                if self._failure is not None and self._failures > failures:
                    raise self._failure  # of whoever tried while this one waited to try
                self._client = self._connected_again(lost)
            return self._client

    def _connected_again(self, lost: Any) -> Any:  # noqa: ANN401 - pymilvus is untyped
        try:
            client = self._connected(self._address)
            # A server that was started again has forgotten what was loaded.
            self._loaded &= set(client.list_collections(timeout=SECONDS))
            for name in self._loaded:
                client.load_collection(name, timeout=SECONDS)
        except Exception as error:
            self._failures += 1
            self._failure = error
            raise
        with suppress(Exception):
            lost.close()
        return client

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import grpc
        from pymilvus.exceptions import MilvusException

        try:
            yield
        except (grpc.RpcError, MilvusException) as error:
            if _is_lost(error):
                raise self._unreachable(error) from error
            if getattr(error, "code", None) == _MISSING or "not found" in str(error).lower():
                raise LibraryError(
                    f"Milvus at {self.name} has lost what the library keeps there; "
                    "`quoth doctor --repair` makes it again from the store."
                ) from error
            raise LibraryError(f"Milvus at {self.name}: {_said(error)}.") from error

    def _unreachable(self, error: Exception) -> LibraryUnreachableError:
        return LibraryUnreachableError(
            f"Milvus at {self.name} cannot be reached ({_said(error)}); check that it runs, that "
            "the network is there, and its user and password (MILVUS_TOKEN). The library is as it "
            "was published last."
        )

    # -- collections --------------------------------------------------------------------------

    def collections(self) -> list[str]:
        """Return the names of all collections."""
        return list(self._ask(lambda client: client.list_collections(timeout=SECONDS)))

    def make(self, name: str, dim: int) -> None:
        """Make an empty collection for vectors of `dim` numbers."""
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("kind", DataType.INT8)
        schema.add_field("document", DataType.INT64)
        schema.add_field("passage", DataType.INT64)
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dim)
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        indexes = self._client.prepare_index_params()
        # The server's administrator says what AUTOINDEX is: HNSW, IVF_SQ8, DISKANN …
        indexes.add_index(
            "dense", index_type="FLAT" if self.lite else "AUTOINDEX", metric_type="IP"
        )
        indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        if not self.lite:
            indexes.add_index("document", index_type="INVERTED")
        with self._explained():
            self._client.create_collection(
                name,
                schema=schema,
                # A search sees all that was written before it: a new generation is found at once.
                consistency_level="Strong",
                timeout=SECONDS,
            )
            # Whether they are made is asked every half second; rows may be written meanwhile.
            self._client.create_index(name, indexes, sync=False, timeout=SECONDS)
        self.load(name)

    def drop(self, name: str) -> None:
        """Delete a collection."""
        with self._lock:
            self._loaded.discard(name)
        self._ask(lambda client: client.drop_collection(name, timeout=SECONDS))

    def load(self, name: str) -> int:
        """Get a collection ready to be searched, and return the length of its vectors."""
        self._ask(lambda client: client.load_collection(name, timeout=SECONDS))
        with self._lock:
            self._loaded.add(name)
        found = self._ask(lambda client: client.describe_collection(name, timeout=SECONDS))
        return next(int(f["params"]["dim"]) for f in found["fields"] if f["name"] == "dense")

    def flush(self, name: str) -> None:
        """Put all rows on disk, and into the indexes."""
        self._ask(lambda client: client.flush(name, timeout=10 * SECONDS))

    def count(self, name: str) -> int:
        """Return how many rows there are."""
        # With a condition Milvus Lite looks at each row.
        asked = {"filter": "", "output_fields": ["count(*)"], "timeout": SECONDS}
        return int(self._ask(lambda client: client.query(name, **asked))[0]["count(*)"])

    # -- rows ---------------------------------------------------------------------------------

    def write(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Store rows, in place of those that have their ids."""
        self._ask(lambda client: client.upsert(name, rows, timeout=SECONDS))

    def delete(self, name: str, documents: Iterable[int]) -> None:
        """Delete all rows of documents."""
        wanted = list(documents)
        for start in range(0, len(wanted), 1000):
            which = f"document in {wanted[start : start + 1000]}"
            self._ask(partial(_delete, name=name, which=which))

    def search(
        self,
        name: str,
        field: str,
        query: NDArray[np.float32] | dict[int, float],
        k: int,
        where: str,
    ) -> list[int]:
        """Return the passages of the `k` rows with the largest inner products, best first."""
        (hits,) = self._ask(
            lambda client: client.search(
                name,
                [query],
                anns_field=field,
                limit=min(k, MOST_HITS),
                filter=where,
                output_fields=["passage"],
                search_params={"metric_type": "IP"},
                timeout=SECONDS,
            )
        )
        return [int(hit["entity"]["passage"]) for hit in hits]

    def mark(self, name: str, mark: int, dim: int) -> None:
        """Store a row that stands for nothing but a state of the collection."""
        nothing = [1.0, *[0.0] * (dim - 1)]
        row = {"id": -mark, "kind": MARK, "document": 0, "passage": 0}
        self.write(name, [{**row, "dense": nothing, "words": _NOTHING}])

    def is_marked(self, name: str, mark: int) -> bool:
        """Return whether that row is there."""
        asked = {"filter": f"id == {-mark}", "output_fields": ["id"], "timeout": SECONDS}
        return bool(self._ask(lambda client: client.query(name, **asked)))

    def unmark(self, name: str, *, but: int) -> None:
        """Delete such rows of older states."""
        which = f"kind == {MARK} and id != {-but}"
        self._ask(partial(_delete, name=name, which=which))

    def documents(self, name: str) -> Iterator[int]:
        """Yield the document of each row that stands for a sentence or a passage."""
        with self._explained():
            rows = self._client.query_iterator(
                name, filter=f"kind != {MARK}", output_fields=["document"], batch_size=10_000
            )
        try:
            while True:
                with self._explained():
                    some = rows.next()
                if not some:
                    return
                yield from (int(row["document"]) for row in some)
        finally:
            rows.close()


def _delete(client: Any, name: str, which: str) -> None:  # noqa: ANN401 - pymilvus is untyped
    client.delete(name, filter=which, timeout=SECONDS)


def _is_lost(error: BaseException) -> bool:
    """Return whether the server did not answer at all, or had just been started again."""
    import grpc
    from pymilvus.exceptions import DataNotMatchException, ParamError

    if isinstance(error, grpc.RpcError):
        return True
    if isinstance(error, ParamError | DataNotMatchException):  # which have the code of everything
        return False
    said = str(error).lower()
    return getattr(error, "code", None) in _LOST or any(word in said for word in _AWAY)


def _said(error: Exception) -> str:
    """Return in a few words what pymilvus says."""
    details: Callable[[], str] | None = getattr(error, "details", None)
    said = str(getattr(error, "message", "") or (details() if callable(details) else "") or error)
    first = said.strip().splitlines()[0] if said.strip() else type(error).__name__
    return first[:200].rstrip(".")


def _number(version: str) -> tuple[int, ...]:
    parts = version.lstrip("v").split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())
