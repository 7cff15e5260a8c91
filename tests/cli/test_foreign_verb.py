"""``kiezbox foreign``: as a maker and an operator use it."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from kiezbox.cli import main
from kiezbox.cli.status import _foreign
from kiezbox.errors import UsageError
from kiezbox.settings import StoreSettings
from kiezbox.store import foreign_file
from kiezbox.store.foreign import ForeignStore

#: From the project's vectors: "FromRadio packet: core_update vector inside", with debug text.
RECORDED = b"boot\r\n" + bytes.fromhex(
    "94c3007c082b12780dad0c3d4315ffffffff18012251088202124c224a0a060801107120001080c3bbc2061a3a0801"
    "120208011a3208cee6ffffffffffffff011098a70118bce30220f48f01288c6030d40238b46040c66448f0fcffffff"
    "ffffffff0150eaad013504030201450000c840480360a4ffffffffffffffff017803"
) + b"heap 1234\r\n"  # fmt: skip
FIRE = "3219080110051880c3bbc206220d4bc3bc636865206272656e6e74"


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A box's settings; its run directory."""
    folder = tmp_path / "run"
    folder.mkdir()
    path = tmp_path / "kiezbox.toml"
    path.write_text(
        f'[box]\nid = "kb-1"\n[store]\npath = "{tmp_path / "kiezbox.db"}"\nrun_dir = "{folder}"\n'
    )
    monkeypatch.setenv("KIEZBOX_SETTINGS", str(path))
    return folder


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["foreign", *words]) == code
    return capsys.readouterr().out


@pytest.fixture
def taken(run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    recording = tmp_path / "cable.bin"
    recording.write_bytes(RECORDED)
    assert said(capsys, "take", str(recording)).startswith("1 messages")
    return run_dir


def test_a_maker_reads_a_payload_in_hexadecimal_and_in_base64(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without any settings: on a laptop beside the radio."""
    for typed in ("2a0a0a060801107120001002", "2a 0a 0a 06 08 01 10 71 20 00 10 02",
                  "KgoKBggBEHEgABAC"):  # fmt: skip
        text = said(capsys, "decode", typed)

        assert "order, schema of 2025-06: mode emergency" in text
        assert "box 1, district 113, only of type core" in text


def test_a_maker_pipes_a_log_and_is_told_which_line_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{FIRE}\n\n224a0a0608011071\n"))

    text = said(capsys, "decode", code=1)

    assert "distress, fire, button 5" in text and "Küche brennt" in text
    assert "cannot be read: field 4 was cut short" in text


def test_a_whole_frame_of_the_stream_is_unwrapped(capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = json.loads(said(capsys, "decode", RECORDED[6:].hex(), "--json"))

    assert (entry["from"], entry["to"]) == ("!433d0cad", "!ffffffff")
    assert entry["message"]["update"]["meta"]["dist_id"] == 113


@pytest.mark.parametrize("typed", ["zz", "2a0", "94c300024001"])
def test_what_is_no_message_is_a_clear_error(typed: str) -> None:
    with pytest.raises(UsageError) as refused:
        main(["foreign", "decode", typed])

    assert refused.value.hint


def test_what_was_recorded_is_listed_with_readings(
    taken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, "list")

    assert text.startswith("113/1  core, heard ")
    for line in ("outside/temperature_c -3.25 °C", "battery/voltage_v 12.87 V", "-92 dBm"):
        assert line in text
    (box,) = json.loads(said(capsys, "list", "--json"))["neighbours"]
    assert box["readings"]["panel/power_w"]["value"] == 12.3


def test_status_has_a_line_for_each(taken: Path) -> None:
    import time

    (line,) = _foreign(str(taken), time.time())

    assert line.startswith("foreign    Kiezbox 2.0 113/1 (core), heard ")
    assert line.endswith(" ago, battery 12.87 V")


def test_nobody_heard_is_said(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no box of Kiezbox 2.0" in said(capsys, "list")
    assert said(capsys, "export") == ""
    assert "nobody has ordered" in said(capsys, "orders")


def test_their_grafana_goes_on(taken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "export", "--since", "1h")

    assert text.startswith("core_values,box_id=1,dev_type=0,dist_id=113 temp_out=-3.25,")
    assert text.endswith(" 1750000000000000000\n") and text.count("\n") == 1
    assert said(capsys, "export", "--since", "2099-01-01") == ""


def test_this_box_s_own_readings_go_out_in_their_names(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from kiezbox.clock import ManualClock
    from kiezbox.model import Flag, Measurement, Quantity
    from kiezbox.store import Store

    clock = ManualClock()
    store = Store.open(StoreSettings(path=str(tmp_path / "kiezbox.db")), "kb-1", clock)
    store.add(
        "roof",
        [
            Measurement(Quantity.TEMPERATURE_C, 18.76),
            Measurement(Quantity.PRESSURE_HPA, 1013.25),
            Measurement(Quantity.HUMIDITY_PERCENT, 3.0, None, Flag.SUSPECT, "range"),
        ],
    )
    store.close()
    at = int(clock.now() * 1000) * 1_000_000

    text = said(capsys, "export", "--own", "roof", "--district", "0x71", "--box", "1")

    assert text.startswith("sensor_values,box_id=1,dev_type=1,dist_id=113 temp_main=18.76,")
    assert "pressure=1013.25" in text and "humid" not in text
    assert text.endswith(f" {at}\n")


# --- orders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["--type", "core"]])
def test_an_order_that_names_nobody_is_refused_and_not_even_logged(
    run_dir: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(UsageError, match="all boxes in reach would obey") as refused:
        main(["foreign", "order", "mode", "emergency", *words])

    assert "--to-all-boxes" in refused.value.hint
    assert "nobody has ordered" in said(capsys, "orders")


def test_an_order_is_shown_kept_for_the_radio_and_logged_with_who_gave_it(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SUDO_USER", "ada")
    words = ["order", "mode", "emergency", "--district", "0x71", "--box", "1", "--type", "core"]

    text = said(capsys, *words)

    # The project's vector control_mode_emergency_filtered.
    assert "2a0a0a060801107120001002" in text
    (logged,) = json.loads(said(capsys, "orders", "--json"))
    assert (logged["by"], logged["what"], logged["state"]) == ("ada", "mode emergency", "waiting")
    assert logged["target"] == "box 1, district 113, only of type core"
    from kiezbox.clock import SystemClock

    clock = SystemClock()
    store = ForeignStore(foreign_file.path_of(str(tmp_path / "kiezbox.db")), clock)
    (waiting,) = store.waiting(clock.now())
    store.mark(waiting.number, "sent", clock.now())
    store.close()
    assert "sent at" in said(capsys, "orders")


def test_all_boxes_can_be_meant_by_whoever_says_so(
    run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, "order", "mode", "normal", "--to-all-boxes", "--dry-run")

    assert "to ALL boxes in reach" in text and "2a040a001001" in text
    assert "nobody has ordered" in said(capsys, "orders")


def test_a_pause_that_fills_the_band_is_said_to(
    run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The survey of their firmware: every 10 s in LongFast is about 9.7 % duty."""
    main(["foreign", "order", "interval", "10s", "--box", "1", "--district", "1", "--dry-run"])

    assert "9.7%" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["order"], ["order", "mode"], ["list", "x"], ["take"], ["orders", "--box", "1"],
        ["export", "--box", "1"], ["list", "--to-all-boxes"],
        ["order", "mode", "normal", "--box", "one"], ["order", "mode", "normal", "--box", "256"],
        ["export", "--own", "roof"], ["take", "/nowhere"], ["export", "--since", "soon"],
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_is_wrong(run_dir: Path, words: list[str]) -> None:
    with pytest.raises(UsageError):
        main(["foreign", *words])


def test_what_people_in_need_have_said_is_their_node_s_alone(
    taken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mode: Any = (tmp_path / "foreign.db").stat().st_mode

    assert stat.S_IMODE(mode) == 0o600


def test_whoever_may_not_read_the_file_sees_what_everybody_may_see(
    taken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here it is no database; root, as whom tests may run, may read everything."""
    (tmp_path / "foreign.db").write_bytes(b"closed " * 1000)

    assert said(capsys, "list").startswith("113/1  core, heard ")
