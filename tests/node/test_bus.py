"""One bus, five sensors, three of which misbehave: the two good ones lose not one reading."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from box import wait_for

from kiezbox.hardware.i2c_view import TRANSACTION_S
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.bme680 import SimulatedBme680
from kiezbox.hardware.simulated.ina219 import SimulatedIna219
from kiezbox.hardware.simulated.sht4x import SimulatedSht4x
from kiezbox.hardware.simulated.sht31 import SimulatedSht31
from kiezbox.store import StoreReader

ROOF, CELLAR, WALL, GAS, METER = 0x76, 0x44, 0x45, 0x77, 0x40
SENSORS = {
    "roof": ("bme280", ROOF),
    "cellar": ("sht4x", CELLAR),
    "wall": ("sht31", WALL),
    "gas": ("bme680", GAS),
    "meter": ("ina219", METER),
}
GOOD = {"roof/temperature_c": 21.5, "cellar/temperature_c": 11.25}
INTERVAL_S = 1.0
#: How long each kind of trouble lasts.
TROUBLE_S = 6.0


class Street:
    """A bench with five chips on one bus and a real node over it, in real time."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder / "bench")
        roof, cellar, self.gas = SimulatedBme280(), SimulatedSht4x(), SimulatedBme680()
        roof.set(21.5, 55.0, 1008.0)
        cellar.set(11.25, 80.0)
        for address, chip in (
            (ROOF, roof),
            (CELLAR, cellar),
            (WALL, SimulatedSht31()),
            (GAS, self.gas),
            (METER, SimulatedIna219()),
        ):
            self.bench.attach(address, chip)
        self.store = folder / "kiezbox.db"
        self.run_dir = folder / "run"
        settings = folder / "kiezbox.toml"
        settings.write_text(
            f"""
[box]
id = "kb-test"
[store]
path = "{self.store}"
run_dir = "{self.run_dir}"
flush_s = 0.5
[hardware]
i2c = "{self.bench.address}"
[network]
run_dir = "{folder / "network"}"
[network.access_point]
kind = "none"
"""
            + "".join(
                f'[sensors.{name}]\ndriver = "{driver}"\naddress = {address}\n'
                f"interval_s = {INTERVAL_S:g}\ndeadline_s = 3\n"
                for name, (driver, address) in SENSORS.items()
            ),
            encoding="utf-8",
        )
        self.log = folder / "node.log"
        with open(self.log, "wb") as log:
            self.node = subprocess.Popen(
                [sys.executable, "-m", "kiezbox", "run", "--settings", str(settings)],
                stdout=log,
                stderr=log,
            )

    def newest(self) -> dict[str, float]:
        """Series -> when its newest good reading was taken."""
        return {name: times[-1] for name, times in self.taken().items()}

    def taken(self) -> dict[str, list[float]]:
        """Series -> when its readings were taken: good ones, and of good sensors all, which are
        looked at here."""
        assert self.node.poll() is None, self.log.read_text()
        if not self.store.exists():
            return {}
        taken: dict[str, list[float]] = {}
        with StoreReader(str(self.store)) as reader:
            names = {number: str(series) for number, series in reader.series().items()}
            for reading in reader.after(0, 100_000):
                name = names[reading.series]
                if name in GOOD:
                    assert reading.value == pytest.approx(GOOD[name], abs=0.01)
                if name in GOOD or reading.flag == 0:
                    taken.setdefault(name, []).append(reading.taken_at)
        return taken

    def all_answer_since(self, moment: float) -> bool:
        newest = self.newest()
        return all(
            any(at > moment for name, at in newest.items() if name.startswith(f"{sensor}/"))
            for sensor in SENSORS
        )

    def close(self) -> None:
        self.node.send_signal(signal.SIGTERM)
        self.node.wait(30)
        self.bench.close()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    made = Street(tmp_path)
    yield made
    made.close()


def test_two_good_sensors_lose_no_reading_to_three_bad_ones_on_their_bus(street: Street) -> None:
    wait_for(lambda: street.all_answer_since(0), "all five")
    began, first = time.time(), street.newest()

    for address in (WALL, GAS, METER):
        street.bench.fault(address, "hang")
    wait_for(lambda: time.time() > began + TROUBLE_S, "three that hang")
    street.bench.fault(WALL, "slow", seconds=0.3)
    street.bench.fault(GAS, None)
    street.gas.fault = "stuck_status"
    street.bench.fault(METER, "every_nth_error", n=3)
    wait_for(lambda: time.time() > began + 2 * TROUBLE_S, "a slow, a stuck, a loose one")
    ended = time.time()
    street.bench.fault(WALL, None)
    street.bench.fault(METER, None)
    street.gas.fault = None
    wait_for(lambda: street.all_answer_since(ended), "all five again")

    for name in GOOD:
        there = [at for at in street.taken()[name] if at >= first[name]]
        assert len(there) - 1 == round((there[-1] - there[0]) / INTERVAL_S), name
        gaps = [after - before for before, after in zip(there, there[1:], strict=False)]
        # Three that begin to hang at the same moment are three waits, once.
        assert max(gaps) < INTERVAL_S + 3 * TRANSACTION_S + 1.0, name
