"""``kiezbox network neighbours``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from kiezbox.cli import main
from kiezbox.errors import NetworkError

BOX = {"id": "kb-2", "name": "Zwei", "version": "0.1.0", "address": "10.43.0.2", "seen_at": 0.0,
       "link_local": "fe80::2", "has_uplink": True, "broker_port": 1883}  # fmt: skip


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    toml = tmp_path / "kiezbox.toml"
    toml.write_text(f'[box]\nid = "kb-1"\n[network]\nrun_dir = "{tmp_path}"\n')
    return ["network", "neighbours", "--settings", str(toml)]


def news(folder: Path, **differently: object) -> None:
    usual = {"written_at": time.time(), "interface": "kb-mesh", "clash": None, "neighbours": []}
    (folder / "neighbours.json").write_text(json.dumps(usual | differently))


def test_a_box_is_a_line(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    news(tmp_path, neighbours=[BOX | {"seen_at": time.time()}])

    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("kb-2  10.43.0.2  0.1.0  heard ")
    assert said.endswith("ago, shares an uplink, lends a broker at port 1883\n")


def test_a_twin_is_named(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    news(tmp_path, clash={"what": "address", "value": "10.43.0.1", "with": "kb-9"})

    assert main(words) == 0
    assert "kb-9 has the same address as this box" in capsys.readouterr().out


def test_programs_get_json(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    news(tmp_path, neighbours=[BOX])

    assert main([*words, "--json"]) == 0
    # It has said no time.
    told = BOX | {"time": 0, "time_at": 0}
    assert json.loads(capsys.readouterr().out)["neighbours"] == [told]


def test_where_nobody_listens_that_is_said(words: list[str]) -> None:
    with pytest.raises(NetworkError, match="nobody listens for other boxes just now"):
        main(words)
