"""gpiozero on plain line numbers: what the real and the simulated pin factory share.

gpiozero's own factories want to know which Raspberry Pi they run on, only to translate header
positions. Here a pin is a line of one GPIO chip, named as gpiozero names it: ``17``, ``"17"``,
``"GPIO17"`` or ``"BCM17"``. No SPI, no PWM.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

from gpiozero.exc import PinInvalidBounce, PinInvalidFunction, PinInvalidPull, PinSetInput
from gpiozero.pins import PinInfo
from gpiozero.pins.pi import PiFactory, PiPin

__all__ = ["Line", "LineFactory"]

log = logging.getLogger("kiezbox.pins")

_NAME = re.compile(r"(?:GPIO|BCM)?(\d{1,3})")

_EDGES = {"both": (False, True), "rising": (True,), "falling": (False,), "none": ()}


class _Chip:
    """Stands where gpiozero expects a board: finds any line by its number."""

    def find_pin(self, name: int | str) -> Iterator[tuple[str, Any]]:
        match = _NAME.fullmatch(str(name))
        if match:
            number = int(match[1])
            label = f"GPIO{number}"
            names = frozenset({number, str(number), label, f"BCM{number}"})
            yield "chip", PinInfo(number, label, names, "", 1, 1, frozenset({"gpio"}))


class LineFactory(PiFactory):  # type: ignore[misc]  # gpiozero has no types
    """Makes lines; who derives from it says how they are configured, read and given back."""

    def __init__(self) -> None:
        super().__init__()
        self.pin_class = Line
        self._chip = _Chip()

    def _get_board_info(self) -> Any:
        return self._chip

    @staticmethod
    def ticks() -> float:
        return time.monotonic()

    @staticmethod
    def ticks_diff(later: float, earlier: float) -> float:
        return later - earlier

    def configure(self, line: Line) -> None:
        """Use the line as it now says (``use``, ``bounce``, ``is_watched``, ``edges``).

        Raises:
            SensorError: the chip or the line cannot be had; the hint says what to do.
        """
        raise NotImplementedError

    def read(self, number: int) -> bool:
        """The level; True is high. Raises SensorMissing if the chip is gone."""
        raise NotImplementedError

    def release(self, number: int) -> None:
        """Give the line back. Never fails: the chip may be gone."""
        raise NotImplementedError


class Line(PiPin):  # type: ignore[misc]  # gpiozero has no types
    """One line, as gpiozero's devices see it."""

    def __init__(self, factory: LineFactory, info: Any) -> None:
        super().__init__(factory, info)
        self.number_on_chip: int = self._number
        #: One of wire.USES: floating, up, down (inputs, by pull), low, high (outputs).
        self.use = "floating"
        self.is_watched = False
        self._bounce: float | None = None
        self._edges = "both"
        # Asked for only when its device says how: an output that was first an input for a moment
        # would let a relay go, or pull one.

    def close(self) -> None:
        self.when_changed = None
        self.use = "floating"
        self._bounce = None
        self.factory.release(self.number_on_chip)

    def changed(self, ticks: float, high: bool) -> None:
        """The factory saw an edge; tell gpiozero. Called in the factory's thread."""
        # Not under _when_changed_lock: whoever sets when_changed holds it while the factory
        # is configured, and that may wait for this very thread.
        reference = self._when_changed
        callback = reference() if reference is not None else None
        if callback is None or high not in _EDGES[self._edges]:
            return
        try:
            callback(ticks, high)
        except Exception:
            log.exception("pins: what was to be done on a change of %r failed", self)

    def output_with_state(self, state: bool) -> None:
        self._change(use="high" if state else "low")

    def input_with_pull(self, pull: str) -> None:
        if pull not in ("floating", "up", "down"):
            raise PinInvalidPull(f'invalid pull "{pull}" for pin {self!r}')
        self._change(use=pull)

    def _change(self, **attributes: Any) -> None:
        """Change some and configure; if that fails nothing has changed."""
        before = {name: getattr(self, name) for name in attributes}
        for name, value in attributes.items():
            setattr(self, name, value)
        try:
            self.factory.configure(self)
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def _get_function(self) -> str:
        return "output" if self.use in ("low", "high") else "input"

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f'invalid function "{value}" for pin {self!r}')
        if value != self._get_function():
            self._change(use="low" if value == "output" else "floating")
        else:
            self._change()  # also after close(), when the line has to be asked for anew

    def _get_state(self) -> bool:
        return bool(self.factory.read(self.number_on_chip))

    def _set_state(self, value: float) -> None:
        if self._get_function() == "input":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        self._change(use="high" if value else "low")

    def _get_pull(self) -> str:
        return self.use if self.use in ("up", "down") else "floating"

    def _set_pull(self, value: str) -> None:
        self.input_with_pull(value)

    def _get_bounce(self) -> float | None:
        return self._bounce

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise PinInvalidBounce("bounce must be 0 or greater")
        self._change(_bounce=value or None)

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        if value not in _EDGES:
            raise ValueError(f"{value!r} is not one of {', '.join(_EDGES)}")
        self._change(_edges=value)

    def _enable_event_detect(self) -> None:
        self._change(is_watched=True)

    def _disable_event_detect(self) -> None:
        self.is_watched = False


def start(name: str, loop: Any) -> threading.Thread:
    """A factory's thread, running."""
    thread = threading.Thread(target=loop, name=name, daemon=True)
    thread.start()
    return thread
