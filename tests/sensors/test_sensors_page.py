"""docs/sensors.md: the sensor it adds in ten minutes passes the contract suite as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "sensors.md"

#: Runs the suite as if the files of the folder lay in their packages.
RUN = """
import sys
sys.path[:0] = [{tests!r}]
import contracts.twins
import kiezbox.hardware.simulated
import kiezbox.sensors
kiezbox.sensors.__path__.append({folder!r} + "/kiezbox/sensors")
kiezbox.hardware.simulated.__path__.append({folder!r} + "/kiezbox/hardware/simulated")
contracts.twins.__path__ = [*contracts.twins.__path__, {folder!r} + "/tests/contracts/twins"]
import doctest
import pytest
from kiezbox.sensors import hdc302x
assert doctest.testmod(hdc302x) == (0, 1)
sys.exit(pytest.main([{tests!r} + "/contracts/test_sensors.py", "-k", "hdc302x"]))
"""


def test_the_three_files_of_the_page_pass_the_contract_suite(tmp_path: Path) -> None:
    blocks = re.findall(
        r"^### \d\. [^\n]*`([^\n`]+\.py)`$.*?^```python\n(.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert len(blocks) == 3
    for name, code in blocks:
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(code, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", RUN.format(tests=str(ROOT / "tests"), folder=str(tmp_path))],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed and int(passed[1]) >= 15, done.stdout[-500:]


def test_the_files_of_the_page_please_ruff() -> None:
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S):
        for command in (["check"], ["format", "--check"]):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *command, "--stdin-filename", "kiezbox/x.py", "-"],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=ROOT,
                input=code,
            )
            assert done.returncode == 0, done.stdout + done.stderr
