"""How much one client, and all together, may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Most of everything.

    Attributes:
        body: Bytes of a request body.
        upload: Bytes of an upload of documents.
        requests: Requests under way at a time from one client, streams not counted.
        streams: Streams open at a time from one client; an open page holds one or two.
        uploads: Uploads under way at a time from one client.
        all_requests: Requests under way at a time from everyone.
        all_streams: Streams open at a time from everyone.
        all_uploads: Uploads under way at a time from everyone.
        questions: Questions and searches from one client in a minute, over any length of time.
        questions_at_first: As many may come at once before that counts.
        wait: Seconds for which a client may send nothing of a body that it has begun.
        grace: Seconds for which a body may come as slowly as it likes.
        slowest: Bytes a second that it must come with after that, all in all.
    """

    body: int = 1_000_000
    upload: int = 256_000_000
    requests: int = 32
    streams: int = 48
    uploads: int = 2
    all_requests: int = 256
    all_streams: int = 1_000
    all_uploads: int = 4
    questions: int = 120
    questions_at_first: int = 60
    wait: float = 30.0
    grace: float = 30.0
    slowest: float = 4_000.0
