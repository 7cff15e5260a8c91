"""`kiezbox certificate`: what a person reads. What is good stands in tests/network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_S = 30


def certificate(folder: Path, *arguments: str, table: str = "") -> subprocess.CompletedProcess[str]:
    """The verb on a machine with no certbot."""
    settings = folder / "kiezbox.toml"
    settings.write_text(f'[box]\nid = "kb-1"\n[network.certificate]\nfolder = "{folder}"\n{table}')
    return subprocess.run(
        [sys.executable, "-m", "kiezbox", "certificate", *arguments, "--settings", str(settings)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env={**os.environ, "PATH": "/nonexistent"},
    )


NAMED = 'name = "portal.example.org"\n'


@pytest.mark.parametrize(
    ("arguments", "table", "code", "words"),
    [
        ((), "", 0, "is not asked for"),
        ((), NAMED, 0, "is not there"),
        (("renew",), NAMED, 0, "somebody else renews it"),
        (("renew",), 'acme_dns = "rfc2136"\n', 9, "network.certificate.name is empty"),
        (("renew",), NAMED + 'acme_dns = "rfc2136"\n', 9, "certbot is not installed"),
    ],
)
def test_each_state_of_things_is_a_sentence_and_never_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...], table: str, code: int, words: str
) -> None:
    done = certificate(tmp_path, *arguments, table=table)

    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_programs_get_the_standing_as_json(tmp_path: Path) -> None:
    done = certificate(tmp_path, "--json", table=NAMED)

    found = json.loads(done.stdout)
    assert (found["name"], found["is_valid"]) == ("portal.example.org", False)
    assert found["reason"]
