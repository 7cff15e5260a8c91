"""The whole Kiez: broker, boxes, weather, and what the page asks and presses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from kiezbox.clock import ScaledClock
from kiezbox.demo import broker
from kiezbox.demo.authority import Authority
from kiezbox.demo.box import SHORTENED, TIMES, Box
from kiezbox.demo.helpers import Helpers
from kiezbox.demo.listener import Listener
from kiezbox.demo.places import sites
from kiezbox.demo.processes import Child, Children, Folder
from kiezbox.demo.recording import Recording
from kiezbox.demo.weather import Weather
from kiezbox.demo.world import PARTS, Sky
from kiezbox.errors import KiezboxError

__all__ = ["SWITCHES", "Kiez", "NoSuchSwitch"]

#: How often children are looked after and the world moves, in real seconds.
TICK_S = 0.1

#: All boxes answer within 5 s on two cores; a slow machine may take this long before we give up.
READY_S = 60.0

#: One weather for everybody: what one person sees, another can see too.
SEED = 1


class NoSuchSwitch(KiezboxError):
    """The page pressed something that is not there."""

    exit_code = 2


class Kiez:
    """A context manager: leaving it ends everything and leaves nothing."""

    def __init__(self, *, boxes: int, speed: float, recording: str | None) -> None:
        self._sites = sites(boxes)
        self._speed = speed
        self._recording_folder = recording
        self._recording: Recording | None = None
        self._starts_at = time.time()
        self._clock = ScaledClock(speed, self._starts_at)
        self._stack = ExitStack()
        self.boxes: list[Box] = []
        self.broker_name = ""

    def __enter__(self) -> Kiez:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, stop: threading.Event) -> None:
        """Start everything; return when all boxes answer, or when somebody wants to stop.

        Raises:
            KiezboxError: a process does not come up, with its own last words.
        """
        folder = Folder()
        self._stack.callback(folder.close)
        broker_port = broker.free_port()
        # The processes are ended before the hardware and the broker they hang on are.
        self._broker = self._stack.enter_context(Children())
        self.broker_name, command = broker.command(folder.path, broker_port)
        self._broker.start(Child("broker", command, folder=folder.path))
        self.helpers = Helpers(folder.path)
        authority = Authority(self._starts_at)
        self._stack.callback(authority.close)
        for number, site in enumerate(self._sites):
            box = Box(
                folder.path / site.id,
                number,
                site,
                broker_port=broker_port,
                authority=authority.url,
                helpers=self.helpers,
                speed=self._speed,
                wall_anchor=self._starts_at,
            )
            self._stack.callback(box.close)
            self.boxes.append(box)
        self._children = self._stack.enter_context(Children())
        # The portals load their packages while we read the recording.
        for box in self.boxes:
            box.start_portal(self._children)
        if self._recording_folder is not None:
            self._recording = Recording.read(self._recording_folder)
        self._sky = Sky(Weather(SEED), self._recording, starts_at=self._starts_at)
        self._wait(stop, lambda: broker.answers(broker_port), self.broker_name)
        self._listener = Listener(broker_port)
        self._stack.callback(self._listener.close)
        # The first reading must not arrive before somebody counts.
        self._wait(stop, self._listener.is_listening, self.broker_name)
        for box in self.boxes:
            box.start_node(self._children)
        for box in self.boxes:
            self._wait(stop, lambda box=box: box.answers, box.site.id)  # type: ignore[misc]

    def _wait(self, stop: threading.Event, what: Callable[[], bool], who: str) -> None:
        """Let the world go on until that is true, or somebody wants to stop."""
        until = time.monotonic() + READY_S
        self._step()
        while not stop.is_set() and not what():
            died = [*self._broker.look_after(), *self._children.look_after()]
            if died:
                raise died[0].complaint()
            if time.monotonic() > until:
                raise KiezboxError(
                    f"demo: no answer from {who} within {READY_S:.0f} s",
                    hint="Is this computer very busy? Fewer boxes need less: --boxes 1.",
                )
            self._step()
            stop.wait(0.02)

    def run(self, stop: threading.Event) -> None:
        """Look after everything until told to stop. Runs in the main thread."""
        while not stop.wait(TICK_S):
            self._broker.look_after()
            self._children.look_after()
            self._step()

    def _step(self) -> None:
        now = self._clock.now()
        for number, box in enumerate(self.boxes):
            box.step(now, self._sky.air(now, number, box.site))

    # --- what the page asks -------------------------------------------------------------------

    def document(self, selected: str | None) -> dict[str, Any]:
        """Everything the page shows; the sparklines of one box only."""
        now = self._clock.now()
        return {
            "now": now,
            "speed": self._speed,
            "broker": self.broker_name,
            "air": self._sky.words(now),
            "left_out": self.left_out(),
            "helper": {"number": self.helpers.number, "code": self.helpers.code},
            "shortened": SHORTENED,
            "times": TIMES,
            "parts": {
                part: {
                    "name": name,
                    "ways": [{"kind": way.kind, "label": way.label} for way in ways],
                }
                for part, (name, _, ways) in PARTS.items()
            },
            "boxes": [
                box.document() | {"arrived": self._listener.arrived(box.site.id)._asdict()}
                for box in self.boxes
            ],
            "history": next((b.history() for b in self.boxes if b.site.id == selected), {}),
        }

    def left_out(self) -> str:
        """What of the recording could not be played."""
        if self._recording is None or self._recording.is_whole:
            return ""
        return self._recording.sentence()

    def press(self, switch: str, box: str, value: Any) -> None:
        """Throw one switch, of one box or ("*") of all.

        Raises:
            NoSuchSwitch: there is no such switch, box or position.
        """
        throw = SWITCHES.get(switch)
        if throw is None:
            raise NoSuchSwitch(f"there is no switch {switch!r}; there are: {', '.join(SWITCHES)}")
        boxes = [each for each in self.boxes if box in ("*", each.site.id)]
        if not boxes:
            raise NoSuchSwitch(f"there is no box {box!r}")
        try:
            for each in boxes:
                throw(each, value)
        except (ValueError, TypeError, KeyError) as error:
            raise NoSuchSwitch(f"{switch}: {error}") from error


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _uplink(box: Box, value: Any) -> None:
    if _truth(value):
        box.uplink.restore()
    else:
        box.uplink.cut()


def _break(box: Box, value: Any) -> None:
    box.world.break_part(value["part"], value["kind"])


#: What can be pressed, and with what: ``grid`` and ``uplink`` true (there) or false (cut),
#: ``battery`` "drain", "charge" or null, ``break`` {"part", "kind" or null}, the rest nothing.
SWITCHES: dict[str, Callable[[Box, Any], None]] = {
    "grid": lambda box, value: box.world.set_grid(_truth(value)),
    "uplink": _uplink,
    "battery": lambda box, value: box.world.force_battery(value),
    "break": _break,
    "flicker": lambda box, value: box.world.flicker(),
    "kill": lambda box, value: box.node.kill(),
}
