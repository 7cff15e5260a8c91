"""What the verbs share: where the settings are, how facts are printed."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import sys
from typing import Any, NoReturn

from kiezbox.clock import Clock, ScaledClock, SystemClock
from kiezbox.errors import NotRunning, SettingsError, UsageError
from kiezbox.settings import Settings, parse

#: Where the settings are, unless --settings or $KIEZBOX_SETTINGS says otherwise.
DEFAULT_PATH = "/etc/kiezbox/kiezbox.toml"

#: Facts older than this (times clock.speed) come from a node that no longer runs.
FACTS_FRESH_S = 30.0


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong call is a UsageError like every other error."""

    def __init__(self, verb: str, doc: str | None) -> None:
        super().__init__(
            prog=f"kiezbox {verb}",
            description=doc,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument(
            "--settings", metavar="FILE", help=f"kiezbox.toml (default {DEFAULT_PATH})"
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog.partition(' ')[2]}: {_plain(message)}", hint=self._ways())

    def _ways(self) -> str:
        """How it is called: the lines of its help that show it, or all options."""
        ways, is_way = [], False
        for line in (self.description or "").splitlines():
            is_way = bool(line.strip()) and (is_way or line.lstrip().startswith(f"{self.prog} "))
            ways += [line] * is_way
        if not ways:
            return self.format_usage()
        first = f"usage: {self.prog} …, as in"
        return "\n".join([first, *ways, f"`{self.prog} --help` explains all of it."])


def _plain(message: str) -> str:
    """argparse's words, with what was probably meant."""
    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if not found:
        return message
    close = difflib.get_close_matches(found[1], re.findall(r"[\w-]+", found[2]), 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"there is no {found[1]!r} here{meant}"


def settings_path(given: str | None) -> str:
    """The settings file to read: --settings, else $KIEZBOX_SETTINGS, else /etc."""
    return given or os.environ.get("KIEZBOX_SETTINGS") or DEFAULT_PATH


def read_toml(path: str) -> dict[str, Any]:
    """The file as a mapping, or a SettingsError that names the line."""
    import tomllib

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise SettingsError(
            f"there is no settings file {path}",
            hint="On a box: `sudo kiezbox init` makes one. Elsewhere --settings FILE or"
            " $KIEZBOX_SETTINGS names it; `kiezbox settings example` prints one.",
        ) from error
    except PermissionError as error:
        raise SettingsError(
            f"cannot read {path}: it may hold passwords", hint="Only root and the node may: sudo."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{path} is not TOML: {error}", hint='Texts need quotes: name = "roof".'
        ) from error


def load_settings(path: str | None) -> Settings:
    """The settings of this box, checked."""
    return parse(Settings, read_toml(settings_path(path)))


def open_clock(settings: Settings) -> Clock:
    """The machine's clock, or the demo's: it may run faster, and all its boxes trust it."""
    if settings.clock.speed == 1.0 and not settings.clock.wall_anchor:
        return SystemClock()
    return ScaledClock(settings.clock.speed, settings.clock.wall_anchor)


def read_facts(settings: Settings) -> dict[str, Any]:
    """now.json of the running node.

    Raises:
        NotRunning: there is none, or it is old.
    """
    path = os.path.join(settings.store.run_dir, "now.json")
    hint = "Start it: `systemctl start kiezbox-node`, or by hand `kiezbox run`."
    try:
        with open(path, encoding="utf-8") as file:
            facts: dict[str, Any] = json.load(file)
    except FileNotFoundError as error:
        raise NotRunning(f"the node does not run ({path} is not there)", hint=hint) from error
    except (OSError, ValueError) as error:
        raise NotRunning(f"cannot read {path}: {error}", hint=hint) from error
    age_s = open_clock(settings).now() - facts["written_at"]
    if age_s > FACTS_FRESH_S * settings.clock.speed:
        raise NotRunning(f"the node does not run: its last word is {age_s:.0f} s old", hint=hint)
    return facts


def node_runs(settings: Settings) -> bool:
    """Whether a node has said something lately."""
    try:
        read_facts(settings)
    except NotRunning:
        return False
    return True


def print_json(document: Any) -> None:
    """Facts for programs: one JSON document on standard output."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
