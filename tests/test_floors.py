"""Imports go down the floors of docs/architecture.md, never up and never sideways."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "kiezbox"

FLOORS = {
    "model": 0, "units": 0, "errors": 0, "clock": 0,
    "settings": 1, "power": 1, "battery": 1, "mode": 1, "senml": 1, "situation": 1, "posture": 1,
    "captive": 1, "records": 1, "trust": 1, "sealing": 1, "place": 1, "i18n": 1, "indices": 1,
    "vouched": 1, "privacy": 1, "quality": 1, "timekeeping": 1, "sparing": 1,
    "exchange": 1, "frames": 1, "airtime": 1, "foreign": 1,
    "store": 2, "wanted": 2, "neighbours": 2,
    "hardware": 3, "sensors": 3, "publishers": 3, "checks": 3, "network": 3,
    "sources": 3, "peers": 3, "radio": 3,
    "cli": 4, "node": 4, "portal": 4, "desk": 4, "demo": 4, "city": 4,
}  # fmt: skip

#: What the rules may use of the standard library: nothing that reaches a clock, file or socket.
IMPURE = {"time", "os", "socket", "threading", "pathlib", "sqlite3", "subprocess", "random", "io"}


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "kiezbox" and len(parts) > 1 else None


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports, lazy and relative ones included, with its line."""
    package = [
        "kiezbox",
        *path.relative_to(ROOT).with_suffix("").parts[: -1 if path.name != "__init__.py" else None],
    ]
    if path.name == "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package[: len(package) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            if base == "kiezbox":
                for alias in node.names:
                    yield f"kiezbox.{alias.name}", node.lineno
            else:
                yield base, node.lineno


def sources() -> list[Path]:
    outside = {ROOT / "__init__.py", ROOT / "__main__.py"}
    return sorted(path for path in ROOT.rglob("*.py") if path not in outside)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_lies_below_it(path: Path) -> None:
    room = path.relative_to(ROOT).with_suffix("").parts[0]
    assert room in FLOORS, f"{room}: give the room a floor here and in docs/architecture.md"

    for module, line in imports_of(path):
        other = room_of(module)
        if other is None or other == room or other.startswith("__"):
            continue
        assert other in FLOORS, f"{path.name}:{line} imports {module}, which has no floor"
        is_seam = module == "kiezbox.hardware" and room in ("sensors", "checks")
        is_entrance = FLOORS[room] == 4 and room in ("cli", "demo")
        is_neighbour = FLOORS[other] == FLOORS[room] <= 1
        allowed = FLOORS[other] < FLOORS[room] or is_neighbour or is_seam or is_entrance
        assert allowed, f"{path.relative_to(ROOT)}:{line} looks up or sideways: {module}"


@pytest.mark.parametrize("room", sorted(r for r, floor in FLOORS.items() if floor == 1))
def test_a_rule_reaches_no_clock_file_socket_or_thread(room: str) -> None:
    paths = [ROOT / f"{room}.py", *(ROOT / room).rglob("*.py")]

    for path in (path for path in paths if path.exists()):
        for module, line in imports_of(path):
            assert module.split(".")[0] not in IMPURE, f"{path.name}:{line} imports {module}"


def test_the_architecture_page_names_every_room() -> None:
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")

    missing = [room for room in FLOORS if f"`{room}" not in page]

    assert missing == []
