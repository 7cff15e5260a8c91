"""``python -m kiezbox`` is ``kiezbox``."""

import sys

from kiezbox.cli import run

if __name__ == "__main__":
    sys.exit(run())
