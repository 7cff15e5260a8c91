"""A brook rises over its banks: a simulated A02YYUW on its serial line, a real node, the portal."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from box import Box, wait_for
from portal.asking import Portal

from kiezbox.hardware.simulated.a02yyuw import SimulatedA02yyuw
from kiezbox.portal.sight import Sight

HEIGHT_M = 2.4

#: Held for four of the box's seconds: one of ours.
BROOK = """
[sensors.{name}]
driver = "a02yyuw"
where = "{where}"
port = "{port}"
interval_s = 1
deadline_s = 4
burst = 3
mounting_height_m = 2.4
[sensors.{name}.steps.water_level_m]
attention = 0.8
warning = 1.1
alarm = 1.5
held_s = 4
datum = "bed"
"""

OPENS = """
[mode.causes.sensor_threshold]
enabled = true
"""


class Brook:
    """A box over a brook."""

    def __init__(self, folder: Path, more: str = OPENS, where: str = "outdoor") -> None:
        self.water = SimulatedA02yyuw(frame_s=0.02)
        self.water.set(HEIGHT_M - 0.35)
        port = str(folder / "bench" / "ttyWATER")
        self.box = Box(folder, more=BROOK.format(name="brook", where=where, port=port) + more)
        self.box.bench.attach_serial("ttyWATER", self.water)

    def rises_to(self, level_m: float) -> None:
        self.water.set(HEIGHT_M - level_m)

    def entry(self) -> dict[str, Any]:
        return next(iter(self.box.facts().get("steps") or [{}]))

    def waits_for(self, step: str | None) -> None:
        wait_for(
            lambda: self.entry().get("value") is not None and self.entry()["step"] == step,
            f"the step {step}, not {self.entry()}",
        )

    def sees(self, level_m: float) -> None:
        """Until a good reading of this level has come in."""
        wait_for(lambda: self.entry().get("value") == level_m, f"{level_m} m: {self.entry()}")

    def raw(self, path: str) -> str:
        sight = Sight(str(self.box.run_dir), str(self.box.store))
        text: str = Portal(sight).ask(path).text
        return text

    def page(self, path: str, language: str = "de") -> str:
        text = self.raw(f"/{language}{path}")
        text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
        return re.sub(r"\s+", " ", text.replace("\u00a0", " "))

    def modes(self) -> list[tuple[str, str]]:
        """Every change of the mode, over all of the node's lives."""
        return re.findall(r"power: mode (\w+) -> (\w+)", self.box.log.read_text())


@pytest.fixture
def brook(tmp_path: Path) -> Iterator[Brook]:
    found = Brook(tmp_path)
    found.box.start()
    yield found
    found.box.close()


def test_a_flood_opens_the_box_and_its_first_page_is_about_the_flood(brook: Brook) -> None:
    brook.waits_for(None)
    brook.rises_to(1.62)
    wait_for(lambda: brook.box.mode() == "emergency", "the emergency")

    (cause,) = brook.box.facts()["mode"]["causes"]
    assert (cause["cause"], cause["detail"]) == (
        "sensor_threshold", "brook/water_level_m ≥ 1.50 m",
    )  # fmt: skip
    first = brook.page("")
    assert "Hochwasser" in first.split("Kiezbox")[0]
    assert "Wasserstand: 1,62 m über dem Grund" in first
    assert "Keller und Tiefgarage verlassen" in first
    assert "Flood" in brook.page("", "en") and "1.62 m above the bed" in brook.page("", "en")
    assert "Gefahr" in brook.page("", "de_simple") and "1,62 m" in brook.page("", "de_simple")

    # It goes as it came: when the water has stayed below it.
    brook.rises_to(0.4)
    wait_for(lambda: brook.box.mode() == "normal", "the all-clear")
    assert brook.modes() == [("normal", "emergency"), ("emergency", "normal")]


def test_a_node_that_is_killed_in_a_flood_wakes_in_it_and_its_wlan_does_not_flap(
    brook: Brook,
) -> None:
    brook.rises_to(1.62)
    wait_for(lambda: brook.box.mode() == "emergency", "the emergency")
    since, began = brook.entry()["since"], time.monotonic()

    for _ in range(2):
        brook.box.kill()
        brook.box.start()
        assert brook.box.mode() == "emergency"
        assert brook.entry()["step"] == "alarm"
        brook.sees(1.62)

    # A box whose clock nobody has set does not know how long it was off: so much later, not more.
    assert -1 <= brook.entry()["since"] - since <= time.monotonic() - began + 1
    assert brook.box.mode() == "emergency"
    assert brook.modes() == [("normal", "emergency")]
    # Nor does a sensor that says nothing after a restart close it at once.
    brook.box.bench.fault("ttyWATER", "silence")
    brook.box.kill()
    brook.box.start()
    assert brook.box.mode() == "emergency" and brook.entry()["is_stale"] is True
    assert "Wie hoch das Wasser jetzt steht, weiß diese Box nicht" in brook.page("/air")


def test_echoes_that_jump_and_a_sensor_that_sees_nothing_open_no_box(brook: Brook) -> None:
    brook.waits_for(None)

    brook.water.fault = "jumps"
    latest = "brook/water_level_m"
    wait_for(lambda: brook.box.facts()["latest"].get(latest, {}).get("flag") == 1, "a suspect one")
    brook.water.fault = "no_echo"
    wait_for(lambda: brook.box.facts()["latest"].get(latest, {}).get("flag") == 2, "a bad one")

    # 0 mm are no echo: taken for a distance they would be water up to the sensor's face.
    assert brook.entry()["value"] == 0.35 and brook.entry()["step"] is None
    assert brook.box.mode() == "normal" and brook.modes() == []


def test_unless_its_operator_says_so_a_box_only_tells_of_the_water(tmp_path: Path) -> None:
    brook = Brook(tmp_path, more="")
    brook.box.start()
    try:
        brook.rises_to(1.2)
        brook.waits_for("warning")
        first, air = brook.page(""), brook.page("/air")
        said = brook.box.kiezbox("advice", "--language", "en").stdout.replace("\u00a0", " ")
        told = json.loads(brook.box.kiezbox("advice", "--json").stdout)
        status = brook.box.kiezbox("status").stdout
        picture = brook.raw("/situation.geojson")
        brook.rises_to(1.7)
        brook.waits_for("alarm")
        mode, flood, last = brook.box.mode(), brook.page("/air"), brook.page("")
    finally:
        brook.box.close()

    assert "Ein gewöhnlicher Tag" in first and "1,20 m · Warnung" in first
    assert "Warnung. Wasserstand: 1,20 m über dem Grund" in first
    assert "1,20 m über dem Grund" in air and "Wichtiges jetzt aus dem Keller" in air
    assert "keine amtliche Warnung" in air
    assert said.startswith("brook: Water level: 1.20 m above the bed (")
    assert "Bring what matters up from the cellar" in said
    assert told["steps"][0]["step"] == "warning"
    marks = "attention 0.80 m, warning 1.10 m, alarm 1.50 m"
    assert re.search(rf"step +brook/water_level_m warning, for [^(]+ \({marks}\)\n", status)
    (feature, *_) = json.loads(picture)["features"]
    (step,) = feature["properties"]["steps"]
    assert (step["sensor"], step["step"], step["stale"], step["value"]) == (
        "brook", "warning", False, 1.2,
    )  # fmt: skip
    assert mode == "normal" and "Nicht in Keller oder Tiefgarage gehen" in flood
    # No WLAN opens, but whoever reads the page on another way is not told of an ordinary day.
    assert "gewöhnlicher Tag" not in last and "Keller und Tiefgarage verlassen" in last


def test_water_in_somebodys_cellar_is_told_to_them_and_to_nobody_else(tmp_path: Path) -> None:
    brook = Brook(tmp_path, where="indoor")
    brook.box.start()
    try:
        brook.rises_to(1.7)
        brook.waits_for("alarm")
        said = brook.box.kiezbox("advice", "--language", "de")
        pages = brook.page("") + brook.page("/air")
        mode = brook.box.mode()
    finally:
        brook.box.close()

    assert "Hochwasser" in said.stdout
    assert "Wasserstand" not in pages
    assert "1,70" not in pages and "Hochwasser" not in pages
    assert mode == "normal"
