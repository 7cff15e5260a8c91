"""Shared fixtures. Nothing here is pretended; see docs/testing.md."""

from __future__ import annotations

import collections
import sys
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

# Time is measured in benchmarks/, never asserted in a test: a busy machine is no defect.
hypothesis.settings.register_profile("kiezbox", deadline=None)
hypothesis.settings.load_profile("kiezbox")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where the minutes went, a line per room."""
    seconds: dict[str, float] = collections.defaultdict(float)
    count: dict[str, int] = collections.defaultdict(int)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                parts = report.nodeid.split("::")[0].split("/")
                room = parts[1] if len(parts) > 2 else "tests"
                seconds[room] += report.duration
                count[room] += report.when == "call"
    terminalreporter.write_line("")
    for room in sorted(seconds, key=lambda room: -seconds[room]):
        terminalreporter.write_line(
            f"{room:12} {seconds[room] / 60:5.2f} min {count[room]:5d} tests"
        )
