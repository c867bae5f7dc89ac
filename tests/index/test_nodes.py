"""A sync on a real Ray cluster of two nodes, one of which is killed in the middle."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from small import HashEncoder, write

from index import Library
from index.errors import ClusterError, SyncCancelledError
from index.fileread import read_prepared
from index.reports import Progress
from index.types import Encoder, Part
from qa import Retriever

if TYPE_CHECKING:
    from index.types import Vectors

pytestmark = pytest.mark.slow

FILES = {
    f"{number // 20}/{number}.txt": f"House {number} has {number + 3} flats.\n\n"
    f"The lift of house {number} is inspected every {number % 7 + 2} months.\n"
    for number in range(200)
}


# Tests may run in several processes, each with a cluster of its own.
NETWORK = f"127.0.{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}"


class Nodes:
    """A cluster of two nodes on this machine; the second can be killed."""

    def __init__(self, cluster: Any) -> None:  # noqa: ANN401 - Ray's
        self._cluster = cluster
        self.address = str(cluster.address)
        self.second: Any = None

    def need_two(self) -> None:
        """Start the second node unless it is there."""
        if self.second is None:
            self.second = self._cluster.add_node(
                num_cpus=1, object_store_memory=80 * 2**20, node_ip_address=f"{NETWORK}.3"
            )

    def kill_one(self) -> None:
        """End all processes of the second node at once."""
        second, self.second = self.second, None
        self._cluster.remove_node(second, allow_graceful=False)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Give a running cluster; not on 127.0.0.1, which Ray takes for a name of this machine."""
    pytest.importorskip("ray")
    place = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets need short names
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_TMPDIR", place)
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        from ray.cluster_utils import Cluster

        cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 1,
                "object_store_memory": 80 * 2**20,
                "include_dashboard": False,
                "node_ip_address": f"{NETWORK}.2",
            },
        )
        try:
            yield Nodes(cluster)
        finally:
            cluster.shutdown()
            shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count what is embedded in this process after all."""
    from index.lean import LeanEncoder

    counts: list[int] = []
    encode = LeanEncoder.encode_parts

    def counted(self: LeanEncoder, parts: list[Part]) -> Vectors:
        counts.append(len(parts))
        return encode(self, parts)

    monkeypatch.setattr(LeanEncoder, "encode_parts", counted)
    return counts


def said(library: Library) -> list[tuple[str, str, float]]:
    found = Retriever(library).retrieve("How often is the lift of house 17 inspected?", k=10)
    return [(passage.citation.path, passage.text, passage.score) for passage in found]


def test_two_nodes_make_what_one_machine_makes(
    tmp_path: Path, nodes: Nodes, encoder: Encoder, nothing_here: list[int]
) -> None:
    nodes.need_two()
    folder = write(tmp_path / "houses", FILES)
    (folder / "empty.txt").write_text("")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    with (
        Library.open(tmp_path / "far.quoth", create=True, encoder=encoder) as far,
        Library.open(tmp_path / "near.quoth", create=True, encoder=encoder) as near,
    ):
        report = far.sync(folder, ray=nodes.address)
        assert nothing_here == []
        expected = near.sync(folder)
        assert (report.added, report.skipped) == (expected.added, expected.skipped)
        assert (report.sentences, report.embedded) == (expected.sentences, expected.embedded)
        assert len(report.added) == len(FILES)
        assert len(report.skipped) == 2
        assert said(far) == said(near)
        assert far.check().findings == ()
        (folder / "0/3.txt").write_text("House 3 was pulled down.")
        changed = far.sync(folder, ray=nodes.address)
        assert (changed.updated, changed.unchanged) == (("0/3.txt",), len(FILES) - 1)


def test_a_node_that_is_killed_takes_nothing_with_it(
    tmp_path: Path, nodes: Nodes, encoder: Encoder
) -> None:
    nodes.need_two()
    folder = write(tmp_path / "houses", FILES)
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed:
            killed.append(progress.files_done)
            nodes.kill_one()

    with Library.open(tmp_path / "far.quoth", create=True, encoder=encoder) as library:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("index.ingest.BATCH", 50)  # written in the middle, not at the end
            report = library.sync(folder, ray=nodes.address, progress=kill)
        assert killed
        assert killed[0] < len(FILES) / 2
        assert sorted(report.added) == sorted(FILES)
        assert not report.skipped
        assert sorted(info.path for info in library.documents()) == sorted(FILES)
        assert library.check().findings == ()


def test_a_sync_that_is_cancelled_lets_the_cluster_go(
    tmp_path: Path, nodes: Nodes, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    monkeypatch.setattr("index.ingest.BATCH", 50)  # progress is told in the middle, not at the end
    folder = write(tmp_path / "houses", FILES)
    cancel = threading.Event()
    with Library.open(tmp_path / "far.quoth", create=True, encoder=encoder) as library:
        with pytest.raises(SyncCancelledError):
            library.sync(
                folder, ray=nodes.address, cancel=cancel, progress=lambda now: cancel.set()
            )
        assert not ray.is_initialized()
        assert library.documents() == []
        ray.init(address=nodes.address, log_to_driver=False)
        try:
            assert library.sync(folder, ray=nodes.address).unchanged == 0
            assert ray.is_initialized()  # whoever was connected already stays so
        finally:
            ray.shutdown()
        assert len(library.documents()) == len(FILES)


def test_a_file_that_is_another_on_the_nodes_is_read_here(tmp_path: Path, encoder: Encoder) -> None:
    """Whatever the nodes say of a file, what is indexed is what lies here."""
    from index import nodes as module
    from index.fileread import FileRead
    from index.scan import scan

    folder = write(tmp_path / "houses", {"a.txt": "House A.", "b.txt": "House B."})
    items = scan(folder, excluded=[]).found
    piece = module._Piece(items)
    assert [reading.prepared for reading in piece.unread] == [None, None]
    other = read_prepared(items[0], folder, 1)
    assert isinstance(other, FileRead)
    assert module.as_here(other, {"a.txt": other.sha256}) is True
    assert module.as_here(other, {"a.txt": "0" * 64}) is False
    assert module.as_here(other, {}) is True
    assert module.as_here(piece.unread[0], {}) is False


def test_nodes_without_the_model_are_told_of(tmp_path: Path, nodes: Nodes) -> None:
    folder = write(tmp_path / "houses", {"a.txt": "House A has three flats."})
    with Library.open(tmp_path / "l.quoth", create=True, encoder=HashEncoder()) as library:
        with pytest.raises(ClusterError, match=r"^On the node .+ hashed words .+\.$"):
            library.sync(folder, ray=nodes.address)
        assert library.documents() == []
        assert library.check().findings == ()


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    folder = write(tmp_path / "houses", {"a.txt": "House A has three flats."})
    with Library.open(tmp_path / "l.quoth", create=True, encoder=encoder) as library:
        with pytest.raises(ClusterError, match=r"^The Ray cluster 127\.0\.0\.1:1 cannot be used"):
            library.sync(folder, ray="127.0.0.1:1")
        assert library.documents() == []
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
