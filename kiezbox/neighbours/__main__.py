"""``python -S /opt/kiezbox/kiezbox/neighbours FILE``: respondd, without Python's ``site``.

What ``site`` imports to find an installed Kiezbox costs 3 MiB for ever; this folder knows where it
lies itself.
"""

import os
import sys

if not __package__:
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from kiezbox.neighbours.respondd import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
