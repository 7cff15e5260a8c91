"""Ask what nobody else can know, and write kiezbox.toml: name, place, who answers for the box.

  kiezbox init                            asks each thing; Enter keeps what stands in brackets
  kiezbox init --id kb-musterplatz-1 --name "Späti" --place 51.163,10.448 --controller "…"
               --contact "…" --privacy-basis "…" --poison-phone "…" --country DE
               --package place.db --yes   without asking: for scripts
  kiezbox init --from answers.toml --yes  the same from a file: a kiezbox.toml with only what you
                                          want to say, sensors and all, for many boxes alike

At a terminal it looks at its end what hangs on the buses, and proposes the tables for what is not
in the file yet, as `kiezbox scan --add` does; --no-scan leaves that out.

A new file is the example that explains every setting, with your answers in it. In a file that is
there only the answers change; where one takes the place of another you are shown which, and asked.
A script says --yes; nothing else in the file is touched. Call it again whenever something changed,
and restart the node then. Without a terminal it asks nothing, and keeps what is. Who answers for
the box (controller), how to reach them (contact) and on which legal basis personal things are kept
stand on the residents' page "About", which says so while they are missing.
"""

from __future__ import annotations

import copy
import os
import re
import sys
import tomllib
from collections.abc import Callable
from typing import Any

from kiezbox.cli._common import Parser, settings_path
from kiezbox.errors import KiezboxError, SettingsError, UsageError
from kiezbox.model import is_box_id
from kiezbox.settings.declaring import toml
from kiezbox.situation import plain_text

#: Table, key and question; each is an option of the same name.
_QUESTIONS = (
    ("box", "id", "Id of this box, such as kb-musterplatz-1 (it stands in every reading)"),
    ("box", "name", "What do people call it?"),
    ("box", "place", "Where does it stand? Latitude, longitude, such as 51.163, 10.448"),
    ("operator", "controller", "Who is responsible for it (name and postal address)?"),
    ("operator", "contact", "How do people reach you?"),
    ("operator", "privacy_basis", "On which legal basis are personal things kept?"),
    ("box", "poison_phone", "Which is the poison helpline of your region, as people dial it?"),
    ("network.access_point", "country", "Country whose radio rules hold here, such as DE"),
)

#: Characters; what a setting may have says its declaration.
MOST_ANSWER = 1000

Values = dict[tuple[str, str], Any]


def main(argv: list[str]) -> int:
    """``kiezbox init``."""
    parser = Parser("init", __doc__)
    for _, key, question in _QUESTIONS:
        parser.add_argument(f"--{key.replace('_', '-')}", help=question)
    parser.add_argument("--from", dest="answers", metavar="FILE", help="settings to be taken over")
    parser.add_argument("--package", metavar="FILE", help="of the surroundings, to be installed")
    parser.add_argument("--yes", action="store_true", help="do not ask anything")
    parser.add_argument("--no-scan", action="store_true", help="do not look at the buses")
    arguments = parser.parse_args(argv)
    path = settings_path(arguments.settings)
    text, is_there = _text(path)
    before = _read(text, path) if is_there else {}
    given = {key: getattr(arguments, key) for _, key, _ in _QUESTIONS}
    # Python has no stdin at all where the caller has closed it.
    is_asking = sys.stdin is not None and sys.stdin.isatty() and not arguments.yes

    def fits(found: Values) -> None:
        _checked(text, found, path)

    from_file = _from_file(arguments.answers) if arguments.answers else {}
    known = _laid_over(before, from_file)
    values = from_file | _answers(given, known, fits if is_asking else None)
    if not is_there and ("box", "id") not in values:
        raise UsageError(
            "init needs --id: it stands in every reading",
            hint="Such as kiezbox init --id kb-musterplatz-1; at a terminal it is asked for.",
        )
    changed = {at: value for at, value in values.items() if _known(before, *at) != value}
    if changed:
        replaced = [at for at in changed if _known(before, *at) not in (None, "")]
        if is_there and not arguments.yes:
            _sure(path, changed, replaced, is_asking=is_asking)
        _write(path, text, changed, is_there=is_there)
    else:
        print(f"{path} says all that already")
    if arguments.package:
        from kiezbox.cli.place import main as place

        place(["install", arguments.package, "--settings", path])
    if is_asking and not arguments.no_scan:
        _propose_sensors(path)
    _remind(path)
    return 0


def _text(path: str) -> tuple[str, bool]:
    """The file as it is, or the example, whose senses of the grid wait until they are wired."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(), True
    except FileNotFoundError:
        from kiezbox.cli.settings import example

        return _without_grid(example()), False
    except (OSError, UnicodeDecodeError) as error:
        raise KiezboxError(f"cannot read {path}: {error}", hint="Try with sudo.") from error


def _without_grid(text: str) -> str:
    """A line that nobody has wired yet reads as "no grid", and a new box would open its WLAN."""
    lines, waits = [], False
    for line in text.splitlines():
        if line.startswith("["):
            waits = line.startswith("[power.grid.")
            if waits:
                lines.append("# Take the # away from this table once the line is wired.")
        lines.append(f"# {line}" if waits and line and not line.startswith("#") else line)
    return "\n".join(lines) + "\n"


def _read(text: str, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{path} is not TOML: {error}", hint="Mend it first, or move it away."
        ) from error


def _known(table: dict[str, Any], section: str, key: str) -> Any:
    found: Any = table
    for name in section.split("."):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found.get(key) if isinstance(found, dict) else None


# --- answers -------------------------------------------------------------------------------------


Fits = Callable[[Values], None]


def _answers(given: dict[str, str | None], before: dict[str, Any], fits: Fits | None) -> Values:
    """``fits``: what says whether an answer is one; None: nobody is there to be asked."""
    values: Values = {}
    for section, key, question in _QUESTIONS:
        said = given[key]
        if said is not None:
            values |= _understood(section, key, said)
        elif fits is not None:
            values |= _asked(section, key, question, before, fits)
    return values


def _asked(section: str, key: str, question: str, before: dict[str, Any], fits: Fits) -> Values:
    """Until it is understood; nothing said keeps what is."""
    if key == "place":
        pair = _known(before, section, "latitude"), _known(before, section, "longitude")
        known = "" if None in pair else f"{pair[0]}, {pair[1]}"
    else:
        known = str(_known(before, section, key) or "")
    while True:
        try:
            said = input(f"{question}{f' [{known}]' if known else ''}: ").strip()
        except EOFError:
            return {}
        if not said:
            return {}
        try:
            found = _understood(section, key, said)
            # Now, and not when everything else has been typed, too.
            fits(found)
            return found
        except KiezboxError as error:
            print(f"  {error}", file=sys.stderr)
            print("  Again, or Enter to leave it as it is.", file=sys.stderr)


def _understood(section: str, key: str, said: str) -> Values:
    """
    Raises:
        UsageError: that is no answer to this.
    """
    said = plain_text(said, MOST_ANSWER)
    if key == "id" and not is_box_id(said):
        raise UsageError(f"{said!r} is no id: lower-case letters, digits and inner hyphens")
    if key != "place":
        return {(section, key): said}
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*[,;\s]\s*(-?\d+(?:\.\d+)?)\s*", said)
    if not found or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise UsageError(f"{said!r} is no place: latitude, longitude, such as 51.163, 10.448")
    return {
        (section, "latitude"): float(found[1]),
        (section, "longitude"): float(found[2]),
    }


def _from_file(path: str) -> Values:
    """What a file of answers says, by table and key.

    Raises:
        KiezboxError: it cannot be read, or is not TOML. Whether its settings are any, is asked
            when they are in their place.
    """
    from kiezbox.cli._common import read_toml

    if not os.path.exists(path):
        raise KiezboxError(f"there is no file {path}", hint="--from names the file of answers.")
    found: Values = {}

    def take(section: str, table: dict[str, Any]) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                take(f"{section}.{key}" if section else key, value)
            elif not section:
                raise SettingsError(
                    f"{path}: {key} stands before the first table",
                    hint="It belongs into one, such as [box].",
                )
            else:
                found[section, key] = value

    take("", read_toml(path))
    return found


def _laid_over(before: dict[str, Any], values: Values) -> dict[str, Any]:
    """The tables with these values in them, so that a question shows what Enter keeps."""
    known: dict[str, Any] = copy.deepcopy(before)
    for (section, key), value in values.items():
        table = known
        for name in section.split("."):
            table = table.setdefault(name, {})
        table[key] = value
    return known


# --- the file ------------------------------------------------------------------------------------


def _checked(text: str, changed: Values, path: str) -> str:
    """The file with these settings in it.

    Raises:
        SettingsError: one of them is out of range.
    """
    from kiezbox.cli.settings import check

    filled = text
    for (section, key), value in changed.items():
        filled = put(filled, section, key, value)
    table = _read(filled, path)
    if "id" not in table.get("box", {}):
        # A question before the box has a name: the rest is judged all the same.
        table.setdefault("box", {})["id"] = "kb-1"
    check(table)
    return filled


def _sure(path: str, changed: Values, replaced: list[tuple[str, str]], *, is_asking: bool) -> None:
    """
    Raises:
        UsageError: the file stays as it is.
    """
    for (section, key), value in changed.items():
        print(f"  {section}.{key} = {toml(value)}")
    if not is_asking:
        raise UsageError(f"{path} is there already", hint="--yes changes it as shown.")
    # What was empty is filled in; what somebody else wrote goes only when asked.
    if not replaced:
        return
    names = ", ".join(f"{section}.{key}" for section, key in replaced)
    if input(f"Change {names} in {path}? [y/N] ").strip().lower() not in ("y", "yes", "j", "ja"):
        raise UsageError(f"{path} is as it was")


def _write(path: str, text: str, changed: Values, *, is_there: bool) -> None:
    filled = _checked(text, changed, path)
    if not is_there:
        for (section, key), value in changed.items():
            print(f"  {section}.{key} = {toml(value)}")
    aside = f"{path}.new"
    try:
        mode = os.stat(path).st_mode & 0o777 if is_there else 0o640
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            # The node reads it by its group.
            if is_there or os.geteuid() == 0:
                _as_before(path if is_there else os.path.dirname(path) or ".", opened.fileno())
            opened.write(filled)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(aside, path)
    except OSError as error:
        hint = (
            "Does its folder exist?" if isinstance(error, FileNotFoundError) else "Try with sudo."
        )
        raise KiezboxError(f"cannot write {path}: {error.strerror}", hint=hint) from error
    print(f"{path} is written")


def _as_before(path: str, file: int) -> None:
    """As the file that was there, or as the folder of a new one: root, and the node's group."""
    found = os.stat(path)
    if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(file, found.st_uid, found.st_gid)


def put(text: str, section: str, key: str, value: Any) -> str:
    """The file with this setting, which takes the place of the line that had or explained it.

    >>> print(put('[box]\\n# name = ""\\n', "box", "name", "Späti"), end="")
    [box]
    name = "Späti"
    """
    lines = text.splitlines()
    # toml() writes texts on one line: what would break it has been taken out (plain_text).
    line = f"{key} = {toml(value)}"
    try:
        start = next(
            n for n, each in enumerate(lines) if each.split("#")[0].strip() == f"[{section}]"
        )
    except StopIteration:
        return "\n".join([*lines, "", f"[{section}]", line]) + "\n"
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
    is_it: tuple[Callable[[str], Any], ...] = (
        re.compile(rf"\s*{key}\s*=").match,
        re.compile(rf"#\s*{key}\s*=").match,
    )
    for matches in is_it:
        for n in range(start + 1, end):
            if matches(lines[n]):
                lines[n] = line
                return "\n".join(lines) + "\n"
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    lines.insert(end, line)
    return "\n".join(lines) + "\n"


def _propose_sensors(path: str) -> None:
    """What answers on the buses and is not in the file, if whoever is at the terminal wants it.

    The file is written already: nothing that goes wrong here is a failed init.
    """
    from kiezbox.cli._common import load_settings, node_runs
    from kiezbox.cli.scan import add, proposals

    settings = load_settings(path)
    if node_runs(settings):
        print("to find new sensors: systemctl stop kiezbox-node, then kiezbox scan --add")
        return
    print("looking what hangs on the buses (15 s at most) …")
    try:
        found = list(proposals(settings))
        for each in found:
            print(f"  {each.what}{f': {each.note}' if each.note else ''}")
        new = sum(bool(each.table) for each in found)
        if not new:
            print("nothing new that could be named; kiezbox scan looks again")
        elif input(f"Write {new} of them into {path}? [Y/n] ").strip().lower()[:1] != "n":
            add(path, settings, found, None)
    except EOFError:
        print()
    except KiezboxError as error:
        print(f"  {error}", file=sys.stderr)
        print("  kiezbox scan looks again; kiezbox check says more.", file=sys.stderr)


def _remind(path: str) -> None:
    """What is still missing, in a sentence."""
    from kiezbox.cli._common import load_settings

    settings = load_settings(path)
    missing = [f"operator.{name}" for name in settings.operator.missing]
    if settings.box.latitude is None or settings.box.longitude is None:
        missing.append("box.latitude and box.longitude")
    if not os.path.exists(settings.place.path(settings.store.path)):
        missing.append("the surroundings (kiezbox place install)")
    if missing:
        print(f"still missing: {', '.join(missing)}", file=sys.stderr)
