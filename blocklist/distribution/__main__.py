"""The program of a mirror: ``python -m blocklist.distribution``.

Only :mod:`blocklist.snapshot.mirror_process` starts it. The first line of its standard input is a ``MirrorOptions`` as
JSON; the program ends when its standard input does, so with its parent. It writes events to standard output, one JSON
object a line.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
from pathlib import Path
from typing import Any

from blocklist.distribution.mirror_status import cache_lock
from blocklist.domain.clock import now
from blocklist.domain.errors import BlocklistError
from blocklist.snapshot.mirror_process import MirrorOptions

#: Longest pauses in seconds: between attempts while they fail, and between looks at the lock of the cache.
_LONGEST_PAUSE, _LOCK_PAUSE = 10.0, 1.0


def main() -> int:
    """Mirror until the standard input ends; return the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal: the parent decides
    options = MirrorOptions.from_json(sys.stdin.readline())
    cache = Path(options.cache)
    try:
        while True:
            with cache_lock(cache) as is_ours:
                if is_ours:
                    # Not before: 50 MB that processes which wait for the lock do not need.
                    from blocklist.distribution.mirror_loop import MirrorLoop  # noqa: PLC0415

                    run(MirrorLoop(options, tell), options.poll)
                    return 0
            # Another process mirrors into this cache, and this one takes over when that ends.
            if pause(_LOCK_PAUSE):
                return 0
    except ImportError as error:
        tell("failed", reason=f"a mirror needs {error.name}: pip install 'blocklist[distribution]' in this environment")
    except (BlocklistError, OSError) as error:
        tell("failed", reason=str(error))
    return 1


def run(loop: Any, poll: float) -> None:
    """Poll until the standard input ends. The pauses vary, so that thousands of nodes do not ask in the same moment."""
    failures = 0
    while True:
        failures = 0 if loop.step() else failures + 1
        longest = max(poll, min(_LONGEST_PAUSE, poll * 2.0 ** min(failures, 10)))
        if pause(longest * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads load, hides nothing
            return


def pause(seconds: float) -> bool:
    """Wait; return True at once if the standard input ends meanwhile."""
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready) and not os.read(0, 4_096)


def tell(event: str, **fields: Any) -> None:
    """Send an event to the parent."""
    try:
        os.write(1, (json.dumps({"event": event, "at": now(), **fields}) + "\n").encode())
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main())
