"""The box's network: what a mode needs, and making it so.

  kiezbox network plan [MODE] [--json]   what a mode needs on this machine, and what is missing
  kiezbox network apply [MODE]           make it so (root); says so where nothing had to be done
  kiezbox network prepare                write every mode's files (root; at boot and every hour)
  kiezbox network refresh                the same, and listen for the quietest channel
  kiezbox network scan [--json]          who is on the air, and which channel that leaves (root)
  kiezbox network status [--json]        what runs, who is on the air
  kiezbox network neighbours [--json]    the other boxes of the mesh, as they describe themselves

MODE is a mode (normal, emergency, saving, dark, exercise, maintenance) or one of the four postures
that the network knows: closed, emergency, shared, dark. Without MODE: the one that holds.
The node asks for them by itself; `apply` is for trying, and for a box without systemd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    from kiezbox.network import Plan
    from kiezbox.posture import Posture
    from kiezbox.settings import Settings

_TAKES_MODE = ("plan", "apply")


def main(argv: list[str]) -> int:
    """``kiezbox network plan|apply|prepare|refresh|scan|status|neighbours``."""
    from kiezbox.cli._common import Parser, load_settings

    parser = Parser("network", __doc__)
    parser.add_argument("action", choices=list(_ACTIONS))
    parser.add_argument("mode", nargs="?", metavar="MODE")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    if arguments.mode is not None and arguments.action not in _TAKES_MODE:
        raise UsageError(f"network {arguments.action} takes no MODE")
    settings = load_settings(arguments.settings)
    return _ACTIONS[arguments.action](settings, arguments)


def _posture(settings: Settings, word: str | None) -> Posture:
    """The posture that a word on the command line means."""
    from kiezbox.mode import Mode
    from kiezbox.network.apply import current
    from kiezbox.posture import Posture, usual

    if word is None:
        return current(settings) or Posture.EMERGENCY
    if word in list(Posture):
        return Posture(word)
    if word in list(Mode):
        return usual(Mode(word))
    words = dict.fromkeys([*(mode.value for mode in Mode), *(each.value for each in Posture)])
    raise UsageError(f"{word} is no mode", hint=f"One of: {', '.join(words)}.")


def _plan(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import open_clock, print_json
    from kiezbox.errors import NetworkError
    from kiezbox.network import plan
    from kiezbox.network.prepare import SECRETS, look

    posture = _posture(settings, arguments.mode)
    planned = plan(posture, settings, look(settings, open_clock(settings)))
    if arguments.json:
        texts = {
            name: None if name in SECRETS else text for name, text in planned.files.items()
        }  # fmt: skip
        print_json({"posture": posture.value, **planned.as_facts(), "files": texts})
    else:
        print("\n".join(sentences(planned, settings.network.run_dir)))
    return NetworkError.exit_code if any(lack.is_fatal for lack in planned.lacks) else 0


def sentences(planned: Plan, run_dir: str) -> list[str]:
    """A plan for people."""
    lines = [f"posture     {planned.posture.value}"]
    for each in planned.interfaces:
        port = f", port of {each.bridge}" if each.bridge else ""
        lines.append(f"interface   {each.name}: {each.does}{port}")
        lines += [f"              {address}" for address in each.addresses]
    lines += [f"part        {part.name}: {part.does}" for part in planned.parts]
    lines += [f"file        {run_dir}/{name}" for name in sorted(planned.files)]
    for lack in planned.lacks:
        lines.append(f"{'MISSING ' if lack.is_fatal else 'to know '}    {lack.what}")
        lines.append(f"              {lack.hint}")
    return lines


def _apply(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import open_clock
    from kiezbox.network.apply import apply

    _tell(apply(_posture(settings, arguments.mode), settings, open_clock(settings)))
    return 0


def _tell(applied: Any) -> None:
    for sentence in applied.done:
        print(sentence)
    if not applied.done:
        print(f"{applied.posture.value}: nothing to do, everything is there")


def _prepare(settings: Settings, arguments: Any) -> int:
    return _prepared(settings, scans=False)


def _refresh(settings: Settings, arguments: Any) -> int:
    return _prepared(settings, scans=True)


def _prepared(settings: Settings, *, scans: bool) -> int:
    from kiezbox.cli._common import open_clock
    from kiezbox.network.apply import refresh

    applied = refresh(settings, open_clock(settings), scans=scans)
    if applied is None:
        print(f"{settings.network.run_dir}: every posture is prepared, none holds")
    else:
        _tell(applied)
    return 0


def _scan(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import open_clock, print_json
    from kiezbox.errors import NetworkError
    from kiezbox.network import scan

    heard = scan.refresh(settings, open_clock(settings))
    if heard is None:
        raise NetworkError(
            "no scan: the channel is set by hand, or the radio cannot listen just now",
            hint="It listens while the emergency WLAN is off, and only for root: sudo.",
        )
    weights = scan.weights(heard)
    if arguments.json:
        print_json(
            {
                "channel": scan.chosen(),
                "weights": weights,
                "heard": [{"channel": h.channel, "signal_dbm": h.signal_dbm} for h in heard],
            }
        )
        return 0
    for channel, weight in weights.items():
        there = [each for each in heard if each.channel == channel]
        loudest = max((each.signal_dbm for each in there), default=None)
        note = f", the loudest {loudest:.0f} dBm" if loudest is not None else ""
        print(f"channel {channel:2}  {len(there)} WLANs{note}; weight {weight:.3f}")
    print(f"chosen      {scan.chosen()}")
    return 0


def _status(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.network.status import facts, sentences

    found = facts(settings)
    if arguments.json:
        print_json(found)
    else:
        print("\n".join(sentences(found)))
    return 0


def _neighbours(settings: Settings, arguments: Any) -> int:
    import dataclasses

    from kiezbox.cli._common import open_clock, print_json
    from kiezbox.errors import NetworkError
    from kiezbox.neighbours.known import read

    now = open_clock(settings).now()
    known = read(settings.network.run_dir, now)
    if known is None:
        raise NetworkError(
            "nobody listens for other boxes just now",
            hint="kiezbox-respondd.service does, in every posture but dark.",
        )
    if arguments.json:
        print_json(dataclasses.asdict(known))
        return 0
    if not known.interface:
        print("this box has no mesh (network.mesh.interface)")
    elif not known.neighbours:
        print(f"no other box on {known.interface}")
    for each in known.neighbours:
        lends = f", lends a broker at port {each.broker_port}" if each.broker_port else ""
        shares = ", shares an uplink" if each.has_uplink else ""
        place = each.address or f"{each.link_local}%{known.interface}"
        seen = f"heard {max(0, now - each.seen_at):.0f} s ago"
        print(f"{each.id}  {place}  {each.version}  {seen}{shares}{lends}")
    if known.clash:
        print(f"{known.clashes_with} has the same {known.clash} as this box: give one another")
    return 0


_ACTIONS = {
    "plan": _plan,
    "apply": _apply,
    "prepare": _prepare,
    "refresh": _refresh,
    "scan": _scan,
    "status": _status,
    "neighbours": _neighbours,
}
