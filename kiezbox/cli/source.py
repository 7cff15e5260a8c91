"""Look at the sources of official warnings, or ask one now.

  kiezbox source list [--json]         what is set up, and when each was asked last
  kiezbox source fetch NAME [--json]   ask [sources.NAME] now, and keep what is new

The node asks by itself as often as interval_s says. `fetch` is for trying the settings; it must be
run by the node's user, who alone can read the box's own key (sudo -u kiezbox …).
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from kiezbox.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from kiezbox.clock import Clock
    from kiezbox.settings import Settings


def main(argv: list[str]) -> int:
    """``kiezbox source list|fetch``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock, print_json

    parser = Parser("source", __doc__)
    parser.add_argument("action", choices=("list", "fetch"))
    parser.add_argument("name", nargs="?", help="the NAME of [sources.NAME] in kiezbox.toml")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    if (arguments.name is None) != (arguments.action == "list"):
        needs = "nothing more" if arguments.action == "list" else "the name of a source"
        raise UsageError(
            f"source {arguments.action} needs {needs}",
            hint="`kiezbox source list` shows what is set up.",
        )
    settings = load_settings(arguments.settings)
    clock = open_clock(settings)
    if arguments.action == "list":
        listed = _listed(settings)
        if arguments.json:
            print_json(listed)
        else:
            _show(listed, clock)
        return 0
    fetched = _fetch(settings, arguments.name, clock)
    if arguments.json:
        print_json(fetched)
    else:
        print(
            f"{arguments.name}: {fetched['listed']} listed, {fetched['new']} new,"
            f" {fetched['changed']} changed, {fetched['gone']} gone"
        )
    for problem in fetched["problems"]:
        print(f"  {problem}", file=sys.stderr)
    return 1 if fetched["problems"] else 0


class _NoFaults:
    """The node's faults are the node's to open and to close."""

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool:
        return False

    def close_fault(self, source: str) -> bool:
        return False


def _fetch(settings: Settings, name: str, clock: Clock) -> dict[str, Any]:
    """What came of it. Raises SourceError."""
    from kiezbox.node.fetching import fetch_of

    if name not in settings.sources:
        there = ", ".join(sorted(settings.sources)) or "none"
        raise SettingsError(
            f"there is no [sources.{name}] in kiezbox.toml", hint=f"There are: {there}."
        )
    task = fetch_of(name, settings, _NoFaults(), clock).task()
    try:
        return {"source": name, **task.look()._asdict()}
    finally:
        task.close()


def _listed(settings: Settings) -> list[dict[str, Any]]:
    from kiezbox.node.fetching import looked_path

    found = []
    for name, table in sorted(settings.sources.items()):
        looked: dict[str, Any] = {}
        try:
            with open(looked_path(settings.store.words_path, name), encoding="utf-8") as file:
                document = json.load(file)
            looked = document if isinstance(document, dict) else {}
        except (OSError, ValueError):
            pass
        found.append(
            {
                "source": name,
                "driver": table.get("driver") or name,
                "checked_at": looked.get("checked_at"),
                "host": looked.get("host"),
                "listed": len(looked.get("listed", ())),
            }
        )
    return found


def _show(listed: list[dict[str, Any]], clock: Clock) -> None:
    from kiezbox.cli.mode import words

    for each in listed:
        if each["checked_at"] is None:
            print(f"{each['source']}  ({each['driver']}) has never been asked with success")
            continue
        age = words(max(0.0, clock.now() - each["checked_at"]))
        print(
            f"{each['source']}  ({each['driver']}) asked {age} ago at {each['host']},"
            f" which lists {each['listed']} for here"
        )
    if not listed:
        print("no source is set up: see [sources.nina] in docs/sources.md", file=sys.stderr)
