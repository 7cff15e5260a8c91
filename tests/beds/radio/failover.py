"""From the pin's edge to the page on a guest's phone, stage by stage, on virtual radios.

For the benchmark: each run is a fresh machine in real time, everything cold.

    python tests/beds/radio/failover.py [RUNS]      a JSON list, seconds since the edge by stage
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent.parent)]

from beds.uml.machine import boot, find_kernel, skip_without  # noqa: E402

#: In their order; each stage's share is the difference to the one before.
STAGES = ("wanted", "street", "on_air", "associated", "lease", "name", "redirect", "page")


def failover(folder: Path) -> dict[str, float]:
    """Seconds since the pin's edge at which each of `STAGES` was reached.

    Raises:
        pytest.skip.Exception: no kernel, no root or a program is missing; its text says which.
        AssertionError: the machine or the box failed; its text has the last words.
    """
    skip_without("hostapd", "dnsmasq", "nft", "wpa_supplicant", "udhcpc", "iw")
    folder.mkdir(parents=True, exist_ok=True)
    run = boot(
        find_kernel(folder), folder / "out", "../radio/inside_failover.py", radios=2, limit_s=180
    )
    stages: dict[str, float] = run.facts()["failover"]["stages"]
    return stages


def main(arguments: list[str]) -> int:
    runs: list[dict[str, Any]] = []
    for _ in range(int(arguments[0]) if arguments else 1):
        with tempfile.TemporaryDirectory(prefix="kiezbox-failover-") as folder:
            runs.append(failover(Path(folder)))
    print(json.dumps(runs, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
