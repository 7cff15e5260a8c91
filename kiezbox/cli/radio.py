"""Show the radio by which boxes talk over LoRa, make the Kiez's key, look into a frame.

  kiezbox radio status [--json]      connection, the hour on the air, neighbours, what was dropped
  kiezbox radio key [--json]         whether this box has the Kiez's key, and four bytes to compare
  kiezbox radio key new              make one, on the first box; the others get a copy of its file
  kiezbox radio frame HEX [--json]   what a frame says, as docs/frames.md has it

The key is what makes boxes a Kiez on the air: who has it can speak as any of them about what they
hold, though not in their words, which are signed. Carry its file on a stick, and erase the stick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiezbox.errors import MissingPackage, NotRunning, UsageError

if TYPE_CHECKING:
    from kiezbox.settings import Settings

#: ``records.Priority`` for people, by its number.
_CLASSES = {
    "0": "official alerts", "1": "help for life", "2": "safe and sound", "3": "bulletins, keeping",
    "4": "messages", "5": "the board", "6": "numbers",
}  # fmt: skip

_ACTIONS = ("status", "key", "frame")


def main(argv: list[str]) -> int:
    """``kiezbox radio status|key|frame``."""
    from kiezbox.cli._common import Parser, load_settings

    parser = Parser("radio", __doc__)
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("what", nargs="?", metavar="new|HEX")
    parser.add_argument("--json", action="store_true", help="for programs")
    # Options may stand between the words.
    arguments = parser.parse_intermixed_args(argv)
    action, what = arguments.action, arguments.what
    is_right = {"status": what is None, "key": what in (None, "new"), "frame": bool(what)}
    if not is_right[action]:
        raise UsageError(
            f"radio {action} {what or ''}".strip() + " is not understood",
            hint="`kiezbox radio --help` shows it.",
        )
    settings = load_settings(arguments.settings)
    if action == "status":
        return _status(settings, is_json=arguments.json)
    if action == "key":
        return _key(settings, is_new=what == "new", is_json=arguments.json)
    try:
        return _frame(settings, what, is_json=arguments.json)
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"frames need the package {error.name}", hint="pip install 'kiezbox[words]'"
        ) from error


def _status(settings: Settings, *, is_json: bool) -> int:
    from kiezbox.cli._common import open_clock, print_json, read_facts

    if not settings.radio.address:
        raise NotRunning(
            "this box has no radio", hint="radio.address in kiezbox.toml says where one is."
        )
    radio = read_facts(settings).get("radio") or {"state": "starting", "why": ""}
    if is_json:
        print_json(radio)
    else:
        print("\n".join(sentences(radio, open_clock(settings).now())))
    return 0 if radio["state"] == "connected" else 1


def sentences(radio: dict[str, Any], now: float) -> list[str]:
    """The part ``radio`` of now.json in words."""
    from kiezbox.cli.mode import words

    why = f": {radio['why']}" if radio.get("why") else ""
    lines = [f"radio      {radio['state']}{why}"]
    if "airtime" not in radio:
        return lines
    lines[0] += f" ({radio['address']})"
    if radio["node"]:
        lines.append(
            f"settings   node {radio['node']}, firmware {radio['firmware'] or '?'},"
            f" {radio['region']}, {radio['preset']}, channel {radio['channel']!r}"
        )
    air = radio["airtime"]
    lines.append(
        f"air        {air['used_s']:.1f} of {air['limit_s']:.0f} s in the last hour,"
        f" {air['others_s']:.1f} s of it the radio's own and relayed;"
        f" {air['left_s']['6']:.1f} s left, for life {air['left_s']['1']:.1f} s"
    )
    lines += [
        f"  {_CLASSES.get(each, each):19} {seconds:.1f} s"
        for each, seconds in air["by_class"].items()
    ]
    queue = radio["queue"]
    free = f"{queue['free']} of {queue['most']}"
    lines.append(
        f"channel    {radio['channel_utilization']:.0%} busy; {radio['waiting']} frames wait,"
        f" {queue['here']} on their way; the radio has {free} places free"
    )
    for box in radio["boxes"]:
        lines.append(
            f"box        {box['name']} heard {words(now - box['heard_at'])} ago,"
            f" SNR {box['snr_db']:.1f} dB, {_relayed(box['hops'])} (!{box['node']:08x})"
        )
    known = {box["node"] for box in radio["boxes"]}
    for node in radio["neighbours"]:
        if node["number"] not in known:
            lines.append(
                f"node       !{node['number']:08x} heard {words(now - node['heard_at'])} ago,"
                f" SNR {node['snr_db']:.1f} dB, {_relayed(node['hops'])}"
            )
    lines += [f"count      {n} {name}" for name, n in radio["counts"].items()]
    return lines


def _relayed(hops: int) -> str:
    return "directly" if not hops else f"relayed {hops} times" if hops > 1 else "relayed once"


def _key(settings: Settings, *, is_new: bool, is_json: bool) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.radio.keys import key_path, make_key, read_key, word_of

    path = key_path(settings.radio.key_file, settings.store.path)
    key = make_key(path) if is_new else read_key(path)
    if is_json:
        print_json({"file": path, "word": word_of(key)})
        return 0
    print(f"{path}: {word_of(key)}")
    if is_new:
        print("The other boxes need a copy of this file, and print the same eight digits then.")
    return 0


def _frame(settings: Settings, text: str, *, is_json: bool) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.errors import SettingsError
    from kiezbox.frames import BadFrame, kind_of, unsealed
    from kiezbox.frames.header import SEAL_BYTES
    from kiezbox.radio.keys import key_path, read_key
    from kiezbox.radio.looking import said_by

    try:
        data = bytes.fromhex(text)
        kind = kind_of(data)
    except ValueError as error:
        hint = "Its bytes as digits 0-9 and a-f; the first says version and kind."
        raise UsageError(f"this is no frame: {error}", hint=hint) from error
    try:
        key: bytes | None = read_key(key_path(settings.radio.key_file, settings.store.path))
    except SettingsError:
        key = None
    members = sorted({settings.box.id, *(settings.kiez.members or {})})
    said = {"kind": kind.name.lower(), "bytes": len(data), **said_by(data, kind, key, members)}
    try:
        is_sealed = key is not None and len(data) > SEAL_BYTES and bool(unsealed(data, key))
    except BadFrame:
        is_sealed = False
    said["is_sealed_by_us"] = is_sealed
    if is_json:
        print_json(said)
    else:
        print("\n".join(f"{name:16} {value}" for name, value in said.items()))
    return 0
