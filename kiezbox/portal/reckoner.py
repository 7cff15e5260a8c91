"""The short-lived process that reckons with Argon2: ``python -m kiezbox.portal.reckoner``.

One task comes on standard input, a line of JSON; one line goes out. Secrets are in no argument and
no environment, and its memory (19 MiB, and in it for a moment a role's private key) goes with it.
Its input stays open while it works: when that ends, whoever asked is gone, and so is this.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

#: It ends by itself after this, whatever happens.
MOST_S = 20

#: The longest task: a sealed ticket and a lock.
MOST_BYTES = 32_768


def main() -> int:
    """Do the one task."""
    from kiezbox.sealing.tasks import done

    signal.alarm(MOST_S)
    task = json.loads(sys.stdin.buffer.readline(MOST_BYTES))
    threading.Thread(target=_leave_with_the_other_side, daemon=True).start()
    found = done(task.pop("task"), task)
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    # Without waiting for the thread, which reads for ever.
    os._exit(0)


def _leave_with_the_other_side() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
