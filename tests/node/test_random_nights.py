"""Nights that nobody thought of: whatever happens, the street is told one thing, and no lie."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from evening import Evening

from kiezbox.posture import IS_OPEN, Posture
from kiezbox.store import StoreWriter

NIGHTS = range(12)
MANY = range(100, 500)

#: In which modes the emergency WLAN may be asked for.
OPENING = {"emergency", "saving", "exercise"}


class Night:
    """An evening in which a die says what happens next."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.evening = Evening(
            folder,
            network={"uplink": {"guest_uplink": "all"}},
            mode={"wlan_pause_s": 120},
            trusted=self.dice.random() < 0.8,
        )
        self.evening.charge(self.dice.choice([90, 32, 28, 12]), self.dice.choice([0, -1, -4]))

    def happen(self) -> None:
        """One thing, then some time."""
        evening, dice = self.evening, self.dice
        match dice.randrange(8):
            case 0 | 1:
                evening.source.word = dice.choice(["present", "lost", "silent"])
            case 2:
                evening.has_publisher = dice.choice([True, False, None])
            case 3:
                evening.root_says("uplink", dice.choice(["own", "mesh", "none", "?", None]))
            case 4:
                evening.current_a = dice.choice([0.0, -1.0, -6.0, 4.0])
            case 5:
                evening.carrier(dice.random() < 0.5)
            case 6:
                with StoreWriter(evening.settings.store.path, clock=evening.clock) as operator:
                    verb = dice.choice(["emergency", "normal", "exercise", "maintenance", "auto"])
                    operator.order(verb, evening.clock.now() + dice.uniform(60, 3600))
            case 7:
                evening.stop()
                evening.clock.advance(dice.choice([0.1, 30, 3600]))
                evening.start()
        for _ in range(dice.randrange(1, 40)):
            evening.run(dice.uniform(0.1, 9.9))
            self.check()

    def check(self) -> None:
        """What holds after every look."""
        evening = self.evening
        (word,) = evening.wanted()
        facts = evening.facts.document()
        mode, network = facts["mode"]["name"], facts["network"]
        assert network["wanted"] == word
        if mode == "dark":
            assert word == "dark"
        else:
            assert word != "dark"
            assert not IS_OPEN[Posture(word)] or mode in OPENING, (mode, word)
        if mode in ("emergency", "exercise"):
            assert IS_OPEN[Posture(word)]
        if word == "shared":
            assert mode != "exercise"
            assert network["uplink"] in ("own", "mesh")
        if network["slice"]:
            assert mode == "saving"
            assert network["slice"]["is_open"] is IS_OPEN[Posture(word)]
            assert network["slice"]["changes_at"] >= evening.clock.now() - 1
        if not IS_OPEN[Posture(word)]:
            assert network["is_on_air"] is None


@pytest.mark.parametrize(
    "seed", [*NIGHTS, *(pytest.param(seed, marks=pytest.mark.long) for seed in MANY)]
)
def test_on_any_night_there_is_one_word_and_it_fits_the_mode(seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        night = Night(Path(name), seed)
        for _ in range(15):
            night.happen()
        night.evening.stop()
