"""The push button at the box: held for ``hold_s`` it begins an exercise, held again it ends one.

It does what ``kiezbox mode exercise`` and ``kiezbox mode auto`` do, by the same orders, so all
their rules hold: an order ends by itself, a real cause of emergency ends an exercise, and the mark
"exercise" is on every page. A short press does nothing, for shoulders and children press buttons.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import KiezboxError
from kiezbox.hardware import Hardware
from kiezbox.node.worker import Worker
from kiezbox.settings import Settings
from kiezbox.store import Store, StoreWriter

__all__ = ["Button", "button_worker"]

log = logging.getLogger("kiezbox")

#: A line that could not be had is asked for again after so long.
REOPEN_S = 30.0
#: The contact must have been still for so long (the kernel sees to it).
BOUNCE_S = 0.05

SOURCE = "button"


class Button:
    """The task. ``wake`` makes its worker take the next step at once."""

    def __init__(
        self,
        settings: Settings,
        hardware: Hardware,
        store: Store,
        clock: Clock,
        wake: Callable[[], object],
    ) -> None:
        self._settings = settings
        self._hardware = hardware
        self._store = store
        self._clock = clock
        self._wake = wake
        self._device: Any = None
        self._is_held = threading.Event()
        #: A button that was pressed before we looked is a short circuit, not a hand.
        self._was_released = False

    def step(self) -> float:
        try:
            if self._device is None:
                self._open()
            is_pressed = bool(self._device.is_pressed)
        except ImportError as error:
            return self._failed(
                f"{error.name} is not installed", "pip install 'kiezbox[pins]'", "missing"
            )
        except (OSError, KiezboxError, ValueError) as error:
            self.close()
            hint = getattr(error, "hint", "") or "Check button.pin in kiezbox.toml and the wire."
            return self._failed(f"cannot be read: {error}", hint, "missing")
        if is_pressed and not self._was_released:
            return self._failed(
                "has been pressed since the box started", "Its two wires touch.", "stuck"
            )
        self._store.close_fault(SOURCE)
        if self._is_held.is_set():
            self._is_held.clear()
            self._order()
        return REOPEN_S

    def _open(self) -> None:
        import gpiozero

        try:
            device = gpiozero.Button(
                self._settings.button.pin,
                pull_up=True,
                bounce_time=BOUNCE_S,
                hold_time=self._settings.button.hold_s,
                pin_factory=self._hardware.pin_factory(),
            )
        except gpiozero.GPIOZeroError as error:
            raise KiezboxError(
                str(error), hint="Each pin of kiezbox.toml has one task; choose another."
            ) from error
        self._device = device
        self._was_released = not device.is_pressed
        device.when_held = self._held
        device.when_released = self._released

    def _held(self) -> None:
        """In gpiozero's thread."""
        if self._was_released:
            self._is_held.set()
        self._wake()

    def _released(self) -> None:
        self._was_released = True

    def _order(self) -> None:
        button, now = self._settings.button, self._clock.now()
        most_s = self._settings.mode.order_most_s
        verb = "auto" if self._is_exercising() else "exercise"
        until = now + min(button.exercise_h * 3600, most_s)
        with StoreWriter(self._settings.store.path) as store:
            store.order(verb, until, {"by": "button"})
        log.info("button: held, order verb=%s", verb)

    def _is_exercising(self) -> bool:
        """Whether an exercise is ordered just now, by whomever."""
        path = os.path.join(self._settings.store.run_dir, "now.json")
        try:
            with open(path, encoding="utf-8") as file:
                order = json.load(file)["mode"]["order"]
            return bool(order) and order["mode"] == "exercise"
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _failed(self, what: str, hint: str, kind: str) -> float:
        message = f"the button at GPIO{self._settings.button.pin} {what}"
        if self._store.open_fault(SOURCE, kind, message, hint):
            log.warning("%s", message)
        return REOPEN_S

    def interrupt(self) -> None:
        """No step takes long."""

    def close(self) -> None:
        """Give the line back. Idempotent."""
        if self._device is not None:
            device, self._device = self._device, None
            device.close()


def button_worker(
    settings: Settings,
    hardware: Hardware,
    store: Store,
    clock: Clock,
    on_trouble: Callable[[str, str], None],
) -> Worker:
    """The button's worker."""

    def make(counts: Callable[[], bool]) -> Button:
        return Button(settings, hardware, store, clock, worker.nudge)

    worker = Worker("button", make, clock, on_trouble=on_trouble)
    return worker
