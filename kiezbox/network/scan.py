"""The quietest channel of 1, 6 and 11, by listening for neighbours' WLANs (``iw dev X scan``).

hostapd's own choice (ACS) would take seconds of the night itself; here an hourly scan, while our
WLAN is off, leaves its choice in a small file.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kiezbox.clock import Clock
from kiezbox.errors import NetworkError
from kiezbox.network.addresses import STREET
from kiezbox.network.hostapd import CHANNELS, favourite
from kiezbox.network.survey import output_of
from kiezbox.settings import Settings

__all__ = ["Heard", "choose", "chosen", "parse", "refresh", "weights"]

#: Only where our own WLAN may be: all bands together take seconds more. The kernel passes over
#: what is forbidden here.
FREQUENCIES = tuple(str(2407 + 5 * channel) for channel in range(1, 14))

#: A radio that is busy answers late or not at all.
LIMIT_S = 20.0

#: A new channel must be so much quieter than the old one: neighbours come and go, and each change
#: costs a write of the card.
MUCH_QUIETER = 0.7

#: What a mesh radio of our own on the same band weighs: it stands 10 cm away.
OWN_MESH_DBM = -30.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A neighbour's access point: where, and how loud."""

    channel: int
    signal_dbm: float


def state_file() -> Path:
    """systemd gives the folder to the units (``StateDirectory=``)."""
    folder = os.environ.get("STATE_DIRECTORY", "/var/lib/kiezbox-network")
    return Path(folder) / "channel.json"


def chosen() -> int:
    """What the last scan chose; 0: nothing yet."""
    try:
        channel = json.loads(state_file().read_text(encoding="utf-8"))["channel"]
    except (OSError, ValueError, LookupError, TypeError):
        return 0
    return channel if channel in CHANNELS else 0


def parse(text: str) -> list[Heard]:
    """The access points of 2.4 GHz in what ``iw dev X scan`` prints; one per ``BSS`` line.

    A name is whatever a neighbour wants, but iw escapes all that is not printable, so a name
    cannot begin a line; what counts here begins one.
    """
    found = []
    for block in re.split(r"^(?=BSS (?:[0-9a-f]{2}:){5})", text, flags=re.MULTILINE):
        frequency = re.search(r"^\tfreq: (\d{4})(?:\.\d)?\s*$", block, re.MULTILINE)
        signal = re.search(r"^\tsignal: (-\d{1,3}(?:\.\d{1,2})?) dBm\s*$", block, re.MULTILINE)
        if frequency and signal and (channel := channel_of(int(frequency[1]))):
            found.append(Heard(channel, float(signal[1])))
    return found


def channel_of(mhz: int) -> int:
    """The channel of a frequency in 2.4 GHz, 0 for any other (IEEE 802.11, 15.4.4.3).

    >>> channel_of(2412), channel_of(2472), channel_of(2484), channel_of(5180)
    (1, 13, 14, 0)
    """
    if mhz == 2484:
        return 14
    steps, rest = divmod(mhz - 2407, 5)
    return steps if 1 <= steps <= 13 and rest == 0 else 0


def weights(heard: Iterable[Heard]) -> dict[int, float]:
    """How loud it is on each of the three channels: the neighbours' power (mW, in the millionth),
    each by how much of its 20 MHz lies in ours.
    """
    found = dict.fromkeys(CHANNELS, 0.0)
    for each in heard:
        power = 10 ** (min(each.signal_dbm, 0.0) / 10) * 1e6
        for channel in CHANNELS:
            overlap = max(0.0, 1 - abs(each.channel - channel) * 5 / 20)
            found[channel] += power * overlap
    return found


def choose(heard: Iterable[Heard], before: int) -> int:
    """The quietest of the three, or the one before where that is not much louder.

    >>> choose([Heard(1, -50.0), Heard(6, -80.0), Heard(11, -60.0)], before=1)
    6
    """
    loud = weights(heard)
    best = min(loud, key=lambda channel: (loud[channel], channel != before))
    return before if loud[best] >= loud[before] * MUCH_QUIETER else best


def listen(interface: str) -> list[Heard] | None:
    """Who is on the air, by this radio; None if it cannot listen. A radio that was down is down
    again afterwards.
    """
    was_up = bool(output_of(["ip", "link", "show", "dev", interface, "up"]).strip())
    output_of(["ip", "link", "set", "dev", interface, "up"])
    try:
        done = subprocess.run(
            ["iw", "dev", interface, "scan", "freq", *FREQUENCIES],
            capture_output=True,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    finally:
        if not was_up:
            output_of(["ip", "link", "set", "dev", interface, "down"])
    return parse(done.stdout.decode(errors="replace")) if done.returncode == 0 else None


def refresh(settings: Settings, clock: Clock) -> list[Heard] | None:
    """Listen, choose, remember. None where there is nothing to choose (a fixed channel, no radio
    of ours) or the radio cannot listen just now (our own WLAN is on the air).
    """
    point, mesh = settings.network.access_point, settings.network.mesh
    if point.kind != "radio" or point.channel or has_interface(STREET):
        return None
    heard = listen(point.interface)
    if heard is None:
        return None
    if mesh.interface and mesh.kind == "80211s":
        heard.append(Heard(mesh.channel, OWN_MESH_DBM))
    before = chosen()
    channel = choose(heard, before or favourite(settings.box.id))
    if channel != before:
        remember(channel, clock)
    return heard


def remember(channel: int, clock: Clock) -> None:
    """Keep the choice over the next start.

    Raises:
        NetworkError: the folder cannot be written.
    """
    path = state_file()
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(
            json.dumps({"channel": channel, "chosen_at": round(clock.now())}), encoding="utf-8"
        )
        new.replace(path)
    except OSError as error:
        raise NetworkError(
            f"cannot write {path}: {error.strerror}", hint="Only root chooses a channel: sudo."
        ) from error


def has_interface(name: str) -> bool:
    """Whether there is an interface of that name."""
    try:
        socket.if_nametoindex(name)
    except OSError:
        return False
    return True
