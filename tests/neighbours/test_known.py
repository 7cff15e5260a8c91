"""neighbours.json as the node, the publishers and the command line read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiezbox.neighbours.known import broker, read

NOW = 1_767_466_800.0


def box(name: str, **differently: Any) -> dict[str, Any]:
    usual = {"id": name, "name": name, "version": "0.1.0", "address": "10.43.0.1", "seen_at": NOW,
             "link_local": "fe80::1", "has_uplink": False, "broker_port": 0}  # fmt: skip
    return usual | differently


def news(folder: Path, *boxes: dict[str, Any], **differently: Any) -> str:
    usual = {"written_at": NOW, "interface": "kb-mesh", "neighbours": boxes, "clash": None}
    (folder / "neighbours.json").write_text(json.dumps(usual | differently))
    return str(folder)


def test_the_boxes_are_known_by_name_and_address(tmp_path: Path) -> None:
    known = read(news(tmp_path, box("kb-2", has_uplink=True), box("kb-3")), NOW + 30)

    assert known is not None and known.interface == "kb-mesh"
    assert [(each.id, each.has_uplink) for each in known.neighbours] == [
        ("kb-2", True),
        ("kb-3", False),
    ]


def test_a_clash_is_known(tmp_path: Path) -> None:
    clash = {"what": "address", "value": "10.43.0.1", "with": "kb-9"}

    known = read(news(tmp_path, clash=clash), NOW)

    assert known is not None and (known.clash, known.clashes_with) == ("address", "kb-9")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"neighbours": 3}', '{"interface": "x", "written_at": "y"}']
)
def test_half_a_file_is_unknown(tmp_path: Path, text: str) -> None:
    (tmp_path / "neighbours.json").write_text(text)

    assert read(str(tmp_path), NOW) is None


@pytest.mark.parametrize(
    "wrong", [{"id": 3}, {"broker_port": True}, {"seen_at": None}, {"address": ["10.43.0.1"]}]
)
def test_a_box_of_wrong_kinds_is_unknown(tmp_path: Path, wrong: dict[str, Any]) -> None:
    assert read(news(tmp_path, box("kb-2", **wrong)), NOW) is None


def test_old_news_and_no_news_are_unknown(tmp_path: Path) -> None:
    assert read(str(tmp_path), NOW) is None
    assert read(news(tmp_path, box("kb-2")), NOW + 600) is None


def test_all_boxes_choose_the_same_broker(tmp_path: Path) -> None:
    lenders = [box("kb-7", broker_port=1883, address="10.43.0.7"), box("kb-3", broker_port=1884)]

    chosen = {broker(read(news(tmp_path, *order), NOW)) for order in (lenders, lenders[::-1])}

    assert chosen == {("10.43.0.1", 1884)}


def test_a_broker_without_an_address_is_reached_on_the_link(tmp_path: Path) -> None:
    known = read(news(tmp_path, box("kb-2", broker_port=1883, address="")), NOW)

    assert broker(known) == ("fe80::1%kb-mesh", 1883)


def test_without_a_lender_there_is_no_broker(tmp_path: Path) -> None:
    assert broker(read(news(tmp_path, box("kb-2")), NOW)) is None
    assert broker(None) is None
