"""A process that does jobs, for `bench/crash.py`: everything is imported once.

It reads one job a line on stdin, as JSON, and answers each with one line.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Answer jobs until stdin ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is no reply
    from bench.faults import jobs

    work = Path(sys.argv[1])
    jobs.make_ready()
    gc.collect()
    gc.freeze()  # children share what is here already
    for line in sys.stdin:
        job = json.loads(line)
        started = time.monotonic()
        try:
            reply = jobs.JOBS[job["job"]](work, job)
        except Exception:  # noqa: BLE001 - whoever asked must hear of it, whatever it is
            reply = {"problems": [f"the campaign itself failed: {traceback.format_exc()}"]}
        replies.write(json.dumps({**reply, "seconds": time.monotonic() - started}) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
