"""The time after a blackout: real drivers on simulated chips, the real store, the rules twice."""

from __future__ import annotations

import calendar
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from contracts.rig import Rig

from kiezbox.cli._clock_setting import carry_out
from kiezbox.clock import SET, SYNCHRONIZED, TRUSTED_BY, Holder, ManualClock, Told, held
from kiezbox.errors import KiezboxError, NotRunning
from kiezbox.hardware.simulated.ds3231 import SimulatedDs3231
from kiezbox.hardware.simulated.gps import SimulatedGps
from kiezbox.model import Measurement, Quantity
from kiezbox.neighbours import nodeinfo
from kiezbox.neighbours.respondd import neighbour
from kiezbox.node import clocking
from kiezbox.node.clocking import WISH, Clocking, Timekeeper
from kiezbox.node.latest import Latest
from kiezbox.node.sensing import Sensing, sensing_workers
from kiezbox.node.storing import Storing
from kiezbox.sensors import ds3231, gps
from kiezbox.settings import Settings, StoreSettings, parse
from kiezbox.store import Store, StoreReader

#: What the time really is when the machine starts.
TRUE = float(calendar.timegm((2026, 11, 30, 20, 0, 0)))
UNSET = 30.0  # 1970
IN_2025 = float(calendar.timegm((2025, 3, 1, 12, 0, 0)))  # what a Raspberry Pi's image says


#: A chip is set when a second begins; here nobody waits for that.
NO_WAITING = SimpleNamespace(sleep=bool, gmtime=time.gmtime, strftime=time.strftime)


class Machine(ManualClock):
    """A computer without a battery: its wall clock, and the files that say who set it."""

    def __init__(self, folder: Path, wall: float) -> None:
        super().__init__(now=wall, trusted=False)
        self.synchronized, self.mark = folder / "synchronized", folder / "kiezbox-clock" / "set"
        self.known = folder / "timesync-clock"
        self.folder = folder
        self._true_ahead_s = TRUE - self.monotonic()

    def true(self) -> float:
        return self._true_ahead_s + self.monotonic()

    def holds(self) -> Holder:
        return held(self.synchronized, self.mark, self)

    def is_trusted(self) -> bool:
        return self.now() > IN_2025 - 1e7 and self.holds().source in TRUSTED_BY

    def hears_ntp(self) -> None:
        """timesyncd sets the clock and touches its file."""
        self.set_wall(self.true())
        self.synchronized.touch()
        os.utime(self.synchronized, (self.now(), self.now()))


class Box:
    """The node's half and the small part that may set the clock, on one machine."""

    def __init__(self, rig: Rig, machine: Machine, sensors: dict[str, object]) -> None:
        self.machine, folder = machine, machine.folder
        self.path = str(folder / "kiezbox.db")
        self.store = Store.open(StoreSettings(path=self.path), "kb-test", self.machine)
        self.timekeeper = Timekeeper(self.machine, self.machine.holds)
        settings = parse(Settings, {"box": {"id": "kb-test"}, "sensors": sensors})
        latest = Latest(lambda: None)
        self.sensing: list[Sensing] = [
            worker._make(lambda: True)  # type: ignore[misc]
            for worker in sensing_workers(
                settings, rig.hardware, self.store, latest, self.machine,
                lambda source: lambda kind, message: None, self.timekeeper,
            )
        ]  # fmt: skip
        self.run_dir = folder / "run"
        self.run_dir.mkdir()
        self.clocking = Clocking(
            self.timekeeper, self.store, self.machine, str(self.run_dir), self.machine.holds
        )
        self.storing = Storing(self.store, StoreSettings(), self.machine)
        self.taken: list[tuple[int, float]] = []
        self.done: list[str] = []

    def minute(self, *, sets: bool = True) -> None:
        """A minute of life: a reading, a look at GPS and chip, a wish, and who fulfils it."""
        self.machine.advance(60.0)
        (one,) = self.store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20.0)])
        self.taken.append((one.serial, self.machine.true()))
        for each in self.sensing:
            each.step()
        self.clocking.step()
        if sets:
            self.root()
        self.storing.step()

    def root(self) -> None:
        try:
            said = carry_out(
                self.run_dir / WISH, self.machine.mark,
                holds=self.machine.holds, now=self.machine.now, monotonic=self.machine.monotonic,
                set_time=self.machine.set_wall, known=self.machine.known,
            )  # fmt: skip
        except NotRunning:
            return
        self.done.append(said.action)

    def off_s(self) -> float:
        return self.machine.now() - self.machine.true()

    def faults(self) -> dict[str, str]:
        return {each.source: each.kind for each in self.store.faults()}

    def told(self) -> list[tuple[float, bool]]:
        """Each roof reading as an export tells it: how far its time is off, and whether the clock
        was trusted when it was taken."""
        self.store.flush()
        found = []
        with StoreReader(self.path) as reader:
            batch = {each.serial: each for each in reader.after(0, 1000)}
            for serial, true in self.taken:
                one = batch[serial]
                corrected = reader.corrected_ms(
                    one.boot, one.monotonic_ms, one.taken_ms, one.clock_trusted
                )
                found.append((corrected / 1000 - true, bool(one.clock_trusted)))
        return found

    def close(self) -> None:
        for each in self.sensing:
            each.close()
        self.clocking.close()
        self.store.close()


Start = Callable[[float], Machine]
Make = Callable[..., Box]

CLOCK = {"clock": {"driver": "ds3231"}}


@pytest.fixture
def box(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Box] = []

    def make(machine: Machine, *, chip: SimulatedDs3231 | None, sky: SimulatedGps | None) -> Box:
        sensors: dict[str, object] = {}
        if chip is not None:
            rig.bench.attach(0x68, chip)
            sensors |= CLOCK
        if sky is not None:
            sensors["sky"] = {"driver": "gps", "port": rig.bench.attach_serial("ttyUSB0", sky)}
        for module in (gps, ds3231):
            monkeypatch.setattr(module, "SystemClock", lambda: machine)
        box = Box(rig, machine, sensors)
        monkeypatch.setattr("kiezbox.sensors.ds3231.time", NO_WAITING)
        made.append(box)
        return box

    yield make
    for each in made:
        each.close()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """A machine that starts with its wall clock there."""
    folder = tmp_path / "machine"
    folder.mkdir()
    return lambda wall: Machine(folder, wall)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path / "bench") as made:
        yield made


def chip_that_says(ahead_s: float, machine: Machine, *, lost: bool) -> SimulatedDs3231:
    """A clock chip that runs with the true time, and so far from it."""
    chip = SimulatedDs3231(machine.monotonic)
    chip.set_time(TRUE + ahead_s)
    if not lost:
        chip.clear_stopped()
    return chip


@pytest.mark.parametrize("wall", [UNSET, IN_2025])
@pytest.mark.parametrize(
    ("ahead_s", "lost"),
    [(-26 * 365 * 86400.0, True), (-500 * 86400.0, True), (-3600.0, True)],
    ids=["chip in 2000", "chip in 2025", "chip an hour slow"],
)
def test_a_box_that_wakes_without_time_has_right_times_after_ten_minutes_of_gps(
    start: Start, box: Make, wall: float, ahead_s: float, lost: bool
) -> None:
    machine = start(wall)
    chip = chip_that_says(ahead_s, machine, lost=lost)
    sky = SimulatedGps(burst_s=0.02, clock=lambda: machine.true())
    sky.set(0)
    it = box(machine, chip=chip, sky=sky)

    for _ in range(10):
        it.minute()
    assert not it.machine.is_trusted() and it.faults()["clock.rtc"] == "stopped"
    assert it.done == [] and abs(it.off_s()) > 86400, "nobody knows the time, and nobody set it"
    sky.set(9)
    for _ in range(4):
        it.minute()

    assert it.machine.holds().source == "gps" and abs(it.off_s()) < 1.0
    # The chip was set by it, and is believed from now on.
    assert not chip.is_stopped and abs(chip.time - it.machine.true()) < 2.0
    assert "clock.rtc" not in it.faults()
    told = it.told()
    assert [sure for _, sure in told][:10] == [False] * 10 and told[-1][1]
    assert max(abs(off_s) for off_s, _ in told) < 2.0


def test_a_good_chip_gives_the_time_at_once_and_gps_only_says_yes(start: Start, box: Make) -> None:
    machine = start(UNSET)
    chip = chip_that_says(0.0, machine, lost=False)
    sky = SimulatedGps(burst_s=0.02, clock=lambda: machine.true())
    sky.set(0)
    it = box(machine, chip=chip, sky=sky)

    it.minute()
    it.minute()
    assert it.machine.holds().source == "rtc" and abs(it.off_s()) < 1.0
    sky.set(9)
    for _ in range(4):
        it.minute()

    assert it.done[:2] == ["set", "vouch"] and it.machine.holds().source == "gps"
    assert max(abs(off_s) for off_s, _ in it.told()) < 2.0


def test_gps_sets_right_what_a_wrong_chip_has_set_and_never_the_other_way(
    start: Start, box: Make
) -> None:
    machine = start(UNSET)
    chip = chip_that_says(7200.0, machine, lost=False)
    sky = SimulatedGps(burst_s=0.02, clock=lambda: machine.true())
    sky.set(0)
    it = box(machine, chip=chip, sky=sky)
    it.minute()
    assert it.off_s() == pytest.approx(7200, abs=1)

    sky.set(9)
    for _ in range(4):
        it.minute()
    # What was dated by it is dated anew; what has left the box is not, so a person is told.
    assert it.faults() == {"clock.rtc.was": "wrong"}
    assert abs(it.off_s()) < 1 and abs(chip.time - it.machine.true()) < 2
    told = it.told()
    assert max(abs(off_s) for off_s, _ in told) < 2.0
    assert not told[1][1] and told[-1][1]

    sky.set(0)
    chip.set_time(it.machine.true() + 7200)
    for _ in range(4):
        it.minute()
    assert abs(it.off_s()) < 1 and it.machine.holds().source == "gps"


@pytest.mark.parametrize("ahead_s", [7200.0, -7200.0, 45.0])
def test_what_a_wrong_chip_has_dated_is_dated_anew_when_the_time_service_knows(
    start: Start, box: Make, ahead_s: float
) -> None:
    machine = start(UNSET)
    chip = chip_that_says(ahead_s, machine, lost=False)
    it = box(machine, chip=chip, sky=None)
    for _ in range(5):
        it.minute()
    assert it.off_s() == pytest.approx(ahead_s, abs=1) and it.machine.is_trusted()

    it.machine.hears_ntp()
    for _ in range(3):
        it.minute()

    assert it.faults() == {"clock.rtc.was": "wrong"}
    assert max(abs(off_s) for off_s, _ in it.told()) < 2.0
    # Publishers that wait for a link are handed them as what they are, too.
    handed = {each.serial: each.clock_trusted for each in it.store.after(0, 1000)}
    assert [handed[serial] for serial, _ in it.taken] == [0] * 5 + [1] * 3


def test_a_chip_that_was_right_to_a_second_leaves_everything_as_it_was(
    start: Start, box: Make
) -> None:
    machine = start(UNSET)
    it = box(machine, chip=chip_that_says(1.4, machine, lost=False), sky=None)
    it.minute()
    it.minute()

    it.machine.hears_ntp()
    it.minute()

    assert it.faults() == {} and [sure for _, sure in it.told()] == [False, True, True]


def test_a_quartz_that_the_chip_corrects_makes_no_wrong_chip(start: Start, box: Make) -> None:
    machine = start(UNSET)
    it = box(machine, chip=chip_that_says(0.0, machine, lost=False), sky=None)
    for _ in range(3):
        it.minute()

    it.machine.set_wall(it.machine.now() + 1.8)
    for _ in range(3):
        it.minute()

    assert it.done.count("set") == 2 and it.faults() == {}


@pytest.mark.parametrize("same_machine", [True, False])
def test_a_node_that_starts_anew_still_knows_what_the_chip_has_dated(
    start: Start, box: Make, same_machine: bool
) -> None:
    machine = start(UNSET)
    it = box(machine, chip=chip_that_says(7200.0, machine, lost=False), sky=None)
    for _ in range(5):
        it.minute()
    it.store.close()

    it.machine.hears_ntp()
    it.store = Store.open(StoreSettings(path=it.path), "kb-test", it.machine)
    it.clocking = Clocking(
        it.timekeeper, it.store, it.machine, str(it.run_dir), it.machine.holds,
        machine="" if same_machine else "another",
    )  # fmt: skip
    it.sensing = []
    it.storing = Storing(it.store, StoreSettings(), it.machine)
    it.minute()

    assert it.faults() == ({"clock.rtc.was": "wrong"} if same_machine else {})
    worst = max(abs(off_s) for off_s, _ in it.told())
    assert worst < 2.0 if same_machine else worst == pytest.approx(7200, abs=2)


def test_a_chip_that_is_behind_what_the_box_has_lived_through_is_not_believed(
    start: Start, box: Make
) -> None:
    machine = start(UNSET)
    chip = chip_that_says(0.0, machine, lost=False)
    first = box(machine, chip=chip, sky=None)
    first.store.keep("clock", {"sure_at": TRUE})
    chip.set_time(IN_2025 + 86400)
    first.clocking._floor = Clocking(
        first.timekeeper, first.store, first.machine, str(first.run_dir)
    )._floor

    first.minute()

    assert first.done == [] and first.faults()["clock.rtc"] == "stopped"
    assert not first.machine.is_trusted()


def test_ntp_at_work_is_left_alone_and_a_gps_that_differs_is_a_fault(
    start: Start, box: Make
) -> None:
    machine = start(UNSET)
    lie_s = [0.4]
    sky = SimulatedGps(burst_s=0.02, clock=lambda: machine.true() + lie_s[0])
    it = box(machine, chip=None, sky=sky)
    it.machine.hears_ntp()

    for _ in range(3):
        it.minute()
    assert it.done == [] and it.faults() == {}

    lie_s[0] = 600.0
    for _ in range(3):
        it.minute()
    assert it.faults() == {"clock": "disagree"} and it.done == []
    assert abs(it.off_s()) < 1.0

    lie_s[0] = 0.0
    for _ in range(3):
        it.minute()
    assert it.faults() == {}


def test_a_time_service_that_lost_its_network_is_followed_by_gps_and_not_by_a_chip(
    start: Start, box: Make
) -> None:
    machine = start(UNSET)
    chip = chip_that_says(0.0, machine, lost=False)
    sky = SimulatedGps(burst_s=0.02, clock=lambda: machine.true())
    sky.set(0)
    it = box(machine, chip=chip, sky=sky)
    it.machine.hears_ntp()
    it.machine.advance(86400.0)
    it.machine.set_wall(it.machine.now() + 4.0)  # a quartz in a hot box

    it.minute()
    assert it.done == []
    sky.set(9)
    for _ in range(3):
        it.minute()

    assert it.done == ["set"] and abs(it.off_s()) < 1.0


def test_a_wish_that_nobody_fulfils_is_a_fault_that_says_how(start: Start, box: Make) -> None:
    machine = start(UNSET)
    chip = chip_that_says(0.0, machine, lost=False)
    it = box(machine, chip=chip, sky=None)

    for _ in range(4):
        it.minute(sets=False)
    assert it.faults() == {"clock": "unset"}
    (fault,) = it.store.faults()
    assert "kiezbox-clock.path" in fault.hint

    it.minute()
    it.minute()
    assert it.faults() == {}


def test_one_sentence_of_a_receiver_is_not_enough_and_two_must_fit_each_other() -> None:
    clock = ManualClock(trusted=False)
    keeper = Timekeeper(clock, lambda: Holder("", float("inf")))

    class Sensor:
        last_fix: object

    sensor = Sensor()

    def hears(heard_at: float, at: float | None, is_measured: bool = True) -> int:
        sensor.last_fix = gps.Fix(heard_at, at, 52.0 if is_measured else None, 13.0, 1, 9)
        keeper.heard("sky", sensor)
        return len(keeper.offers())

    assert hears(10, TRUE) == 0
    assert hears(20, TRUE + 10) == 1
    assert hears(30, TRUE + 5000) == 0, "it jumped"
    assert hears(40, TRUE + 30) == 0, "and back"
    assert hears(50, TRUE + 40) == 1
    assert hears(60, None) == 0, "a fix without a time"
    assert hears(70, TRUE + 60) == 0
    assert hears(80, TRUE + 70, is_measured=False) == 0, "no position, so no measured time"


def test_the_wish_is_a_small_file_that_everybody_may_read(start: Start, box: Make) -> None:
    machine = start(UNSET)
    chip = chip_that_says(0.0, machine, lost=False)
    it = box(machine, chip=chip, sky=None)

    it.minute(sets=False)

    wish = it.run_dir / WISH
    assert wish.stat().st_mode & 0o777 == 0o644 and wish.stat().st_size < 200
    said = json.loads(wish.read_text())
    assert (said["source"], said["name"]) == ("rtc", "clock")
    assert said["time"] == pytest.approx(it.machine.true(), abs=1.0)


GOOD = {"source": "gps", "name": "sky", "heard_at": 990.0, "time": TRUE}

HOSTILE: dict[str, object] = {
    "not JSON": b"{",
    "a list": [],
    "deep": b"[" * 900,
    "too long": b" " * 2000,
    "another source": {**GOOD, "source": "ntp"},
    "a source that is no word": {**GOOD, "source": ["gps"]},
    "words for a time": {**GOOD, "time": "now"},
    "not a number": b'{"source":"gps","name":"sky","heard_at":990.0,"time":NaN}',
    "endless": b'{"source":"gps","name":"sky","heard_at":990.0,"time":Infinity}',
    "a truth": {**GOOD, "time": True},
    "old": {**GOOD, "heard_at": 100.0},
    "of the future": {**GOOD, "heard_at": 2000.0},
    "a field less": {"source": "gps", "name": "sky", "time": TRUE},
    "before 2025": {**GOOD, "time": 1e9},
    "after 2100": {**GOOD, "time": 5e9},
    "a chip before what timesyncd knows": {**GOOD, "source": "rtc", "time": TRUE - 86400},
}


@pytest.mark.parametrize("wish", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_wish_that_is_wrong_sets_nothing(tmp_path: Path, wish: object) -> None:
    machine = Machine(tmp_path, UNSET)
    machine.known.touch()
    os.utime(machine.known, (TRUE - 10, TRUE - 10))
    path = tmp_path / WISH
    path.write_bytes(wish if isinstance(wish, bytes) else json.dumps(wish).encode())
    set_to: list[float] = []

    try:
        carry_out(
            path, machine.mark, holds=machine.holds, now=machine.now,
            monotonic=machine.monotonic, set_time=set_to.append, known=machine.known,
        )  # fmt: skip
    except KiezboxError as error:
        assert error.hint

    assert set_to == [] and not machine.mark.exists()


def test_a_link_or_a_pipe_is_no_wish(tmp_path: Path) -> None:
    machine = Machine(tmp_path, UNSET)
    (tmp_path / "target").write_text(json.dumps(GOOD))
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "pipe")

    for name in ("link", "pipe"):
        with pytest.raises(KiezboxError):
            carry_out(
                tmp_path / name, machine.mark, holds=machine.holds, now=machine.now,
                monotonic=machine.monotonic, set_time=machine.set_wall,
            )  # fmt: skip


def test_the_state_is_told_for_the_verb_and_goes_with_the_node(start: Start, box: Make) -> None:
    machine = start(UNSET)
    chip = chip_that_says(0.0, machine, lost=False)
    it = box(machine, chip=chip, sky=None)
    it.minute()

    state = json.loads((it.run_dir / clocking.STATE).read_text())
    assert [(each["name"], each["source"]) for each in state["offers"]] == [("clock", "rtc")]

    it.clocking.close()
    assert list(it.run_dir.iterdir()) == []


def heard(it: Box, *off_s: float) -> dict[str, Told]:
    """What so many boxes say, each so far from the truth."""
    now = it.machine.monotonic()
    return {f"kb-{n}": Told(now, it.machine.true() + off) for n, off in enumerate(off_s)}


def test_three_neighbours_bring_a_clock_near_and_never_make_it_trusted(
    start: Start, box: Make
) -> None:
    it = box(start(UNSET), chip=None, sky=None)
    it.clocking._neighbours = lambda: heard(it, 0.3, -2.0, 86400.0)

    it.minute()
    it.minute()

    assert abs(it.off_s()) < 3 and it.machine.holds().source == "neighbours"
    assert not it.machine.is_trusted()
    assert [sure for _, sure in it.told()] == [False, False]


@pytest.mark.parametrize(
    "off_s", [(), (0.0, 0.0), (0.0, 5000.0, -5000.0), (0.0, 0.0, 9e8, 9e8)], ids=str
)
def test_two_neighbours_or_some_that_differ_bring_nothing(
    start: Start, box: Make, off_s: tuple[float, ...]
) -> None:
    it = box(start(UNSET), chip=None, sky=None)
    it.clocking._neighbours = lambda: heard(it, *off_s)

    it.minute()
    it.minute()

    assert it.done == [] and it.off_s() < -86400


def test_neighbours_never_set_a_clock_back_nor_a_year_ahead_of_what_was_sure(
    start: Start, box: Make
) -> None:
    it = box(start(UNSET), chip=None, sky=None)
    it.clocking._floor = TRUE
    it.clocking._neighbours = lambda: heard(it, *[400 * 86400.0] * 3)
    it.minute()
    assert it.done == []

    it.machine.set_wall(it.machine.true() + 3600)
    it.clocking._neighbours = lambda: heard(it, 0.0, 0.0, 0.0)
    it.minute()
    assert it.done == [] and it.off_s() == pytest.approx(3600, abs=1)


def test_neighbours_are_not_asked_where_a_chip_or_ntp_has_set_the_clock(
    start: Start, box: Make
) -> None:
    it = box(start(UNSET), chip=None, sky=None)
    it.machine.hears_ntp()
    asked: list[int] = []

    def ask() -> dict[str, Told]:
        asked.append(1)
        return heard(it, 900.0, 900.0, 900.0)

    it.clocking._neighbours = ask
    it.minute()

    assert it.done == [] and asked == []


def test_what_respondd_heard_of_the_time_reaches_the_clock(tmp_path: Path) -> None:
    clock = ManualClock(now=TRUE, trusted=False)
    usual = {
        "id": "kb-2", "name": "Zwei", "version": "0.1", "address": "", "link_local": "fe80::2",
        "has_uplink": False, "broker_port": 0, "seen_at": TRUE,
    }  # fmt: skip
    now = clock.monotonic()
    boxes = [
        usual | {"time": TRUE + 5, "time_at": now - 10},
        usual | {"id": "kb-3"},
        usual | {"id": "kb-4", "time": TRUE, "time_at": now + 99},
        usual | {"id": "kb-5", "time": TRUE, "time_at": now - 1000},
    ]
    news = {"written_at": TRUE, "interface": "kb-mesh", "neighbours": boxes, "clash": None}
    (tmp_path / "neighbours.json").write_text(json.dumps(news))

    assert clocking.neighbours_time(str(tmp_path), clock) == {"kb-2": Told(now - 10, TRUE + 5)}
    assert clocking.neighbours_time(str(tmp_path / "none"), clock) == {}


@pytest.mark.parametrize(
    ("said", "time_said"),
    [
        (TRUE, TRUE),
        (None, None),
        (0, None),
        (-5.0, None),
        (True, None),
        ("now", None),
        (float("nan"), None),
        (float("inf"), None),
        ([TRUE], None),
    ],
)
def test_a_neighbours_time_is_a_number_or_nothing(said: object, time_said: float | None) -> None:
    found = neighbour({"kiezbox": {"id": "kb-2", "time": said}}, "fe80::2")

    assert found is not None and found.get("time") == time_said


def test_only_who_has_the_time_from_outside_the_mesh_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (nodeinfo.SYNCHRONIZED, nodeinfo.SET) == (str(SYNCHRONIZED), str(SET))
    mark = tmp_path / "set"
    monkeypatch.setattr(nodeinfo, "SYNCHRONIZED", str(tmp_path / "synchronized"))
    monkeypatch.setattr(nodeinfo, "SET", str(mark))
    told = []
    for by in ("", "neighbours 12.0", "rtc 12.0", "gps 12.0"):
        mark.write_text(by)
        told.append(nodeinfo.sure_time() is not None)

    assert told == [False, False, True, True]
