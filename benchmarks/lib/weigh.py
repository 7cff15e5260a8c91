"""Where a node's memory goes: what each module costs when it is imported, without its imports.

``python weigh.py FILE run --settings …`` runs the command line under the scales
and writes FILE when it ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

#: So many modules are named; the rest is one sum.
NAMED = 14


def _rss_kib() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4


class Scales:
    """Measures RSS around every module's execution; what its own imports took is theirs."""

    def __init__(self) -> None:
        self.own: dict[str, int] = {}
        self._inside: list[int] = []

    def exec_module(self, loader: Any, execute: Any, module: Any) -> None:
        before = _rss_kib()
        self._inside.append(0)
        try:
            execute(loader, module)
        finally:
            whole = _rss_kib() - before
            below = self._inside.pop()
            self.own[module.__name__] = self.own.get(module.__name__, 0) + whole - below
            if self._inside:
                self._inside[-1] += whole


def main(report: str, argv: list[str]) -> int:
    import importlib.machinery as machinery

    start = _rss_kib()
    scales = Scales()
    for kind in (machinery.SourceFileLoader, machinery.ExtensionFileLoader):
        execute = kind.exec_module

        def weighed(loader: Any, module: Any, execute: Any = execute) -> None:
            scales.exec_module(loader, execute, module)

        kind.exec_module = weighed  # type: ignore[method-assign]
    from kiezbox.cli import main as kiezbox

    try:
        return int(kiezbox(argv) or 0)
    finally:
        document = {"start": start, "end": _rss_kib(), "own": scales.own}
        Path(report).write_text(json.dumps(document))


def weigh_node(folder: Path, port: int) -> list[str]:
    """The heaviest modules of a whole node, in lines for a person."""
    from benchmarks.lib import installed
    from benchmarks.lib.node import node
    from benchmarks.lib.proc import wait_for

    report = folder / "weights.json"
    with node(folder / "weighed", port=port, interval_s=1, is_full=True) as first:
        settings = first.settings
        first.process.terminate()
        first.process.wait(20)
        argv = [installed.python(), __file__, str(report), "run"]
        with subprocess.Popen(
            [*argv, "--settings", str(settings)],
            stderr=subprocess.DEVNULL,
            env=installed.ENVIRONMENT,
        ) as process:
            try:
                wait_for(lambda: first.facts().get("latest"), "the weighed node's first reading")
            finally:
                process.terminate()
                process.wait(20)
    weights = json.loads(report.read_text())
    own = sorted(weights["own"].items(), key=lambda item: -item[1])
    imports = sum(weights["own"].values())
    named = ", ".join(f"{name} {kib / 1024:.2f}" for name, kib in own[:NAMED])
    rest = sum(kib for _, kib in own[NAMED:])
    by_package: dict[str, int] = {}
    for name, kib in own:
        top = name.partition(".")[0]
        by_package[top] = by_package.get(top, 0) + kib
    packages = sorted(by_package.items(), key=lambda item: -item[1])[:12]
    return [
        f"memory of a whole node, MiB: interpreter {weights['start'] / 1024:.1f}, imports"
        f" {imports / 1024:.1f} ({len(own)} modules), work {weights['end'] / 1024:.1f} at the end",
        f"  by module: {named}, {len(own) - NAMED} others {rest / 1024:.2f}",
        "  by package: " + ", ".join(f"{name} {kib / 1024:.2f}" for name, kib in packages),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
