"""Started as a script: removes the demo's folder once the demo is gone, however it went.

``python -I -S janitor.py FOLDER``: standard input is a pipe whose other end only the demo holds,
so it ends when the demo does, even by kill -9.
"""

import os
import shutil
import sys
import time

#: The demo's children are killed at the same moment and may still write for an instant.
PATIENCE_S = 5.0


def main() -> None:
    folder = sys.argv[1]
    sys.stdin.buffer.read()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            shutil.rmtree(folder)
            return
        except FileNotFoundError:
            # Either it is done, or a child removed a file under our feet: look again.
            if not os.path.lexists(folder):
                return
        except OSError:
            pass
        time.sleep(0.05)


if __name__ == "__main__":
    main()
