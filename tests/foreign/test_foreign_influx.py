"""Line protocol in their words, by the project's reference line and by one that is known good."""

from __future__ import annotations

from protobuf_judge import CORE, NOW, SENSOR

from kiezbox.foreign.decode import decode
from kiezbox.foreign.influx import Moment, line, own_lines
from kiezbox.foreign.messages import Meta

#: The reference's own line (kiezbox-2.0.md, "Other fixtures"); its fields in any order.
EXPECTED = (
    "sensor_values,box_id=1,dev_type=1,dist_id=113,sens_id=7 temp_main=18.76,humid_main=61.2,"
    "pressure=1013.25,air_quality=123.456,part_pm25=8.4,part_pm10=15.2,temp_rtc=19.5,"
    'battery_voltage=3.98,time_arrival="2025-10-22T00:00:00Z" 1750000000000000000'
)


def taken_apart(text: str) -> tuple[str, set[str], str]:
    head, fields, at = text.split(" ")
    return head, set(fields.split(",")), at.strip()


def point(payload: bytes, heard_at: float = NOW) -> str:
    update = decode(payload, NOW).update
    assert update is not None
    return line(update, heard_at)


def test_a_sensor_s_update_is_the_line_that_their_gateway_writes() -> None:
    assert taken_apart(point(SENSOR)) == taken_apart(EXPECTED)


def test_a_box_is_in_core_values_with_its_own_fields() -> None:
    head, fields, at = taken_apart(point(CORE))

    assert head == "core_values,box_id=1,dev_type=0,dist_id=113"
    # Their database has kilowatt hours where the wire has watt hours.
    assert {"solar_energy_day=0.34", "temp_out=-3.25", "battery_current=0.4"} <= fields
    assert at == "1750000000000000000"


def test_what_cannot_be_true_leaves_a_gap_and_what_has_no_time_gets_that_of_its_coming() -> None:
    # core_update_broken_sensors of the vectors, with unix_time 1 in place of 1750000000.
    broken = (
        "22300a0608021071200010011a2412001a2008e89ff8ffffffffffff0110ffffffff071880808080f8ff"
        "ffffff0150eaad01"
    )
    head, fields, at = taken_apart(point(bytes.fromhex(broken), NOW + 0.7))

    assert head == "core_values,box_id=2,dev_type=0,dist_id=113"
    assert fields == {"temp_rtc=22.25", 'time_arrival="2025-10-22T00:00:00Z"'}
    assert at == "1761091200000000000"


def test_an_update_without_values_is_no_point() -> None:
    recorded = "221c0a040801100210c2afcfbf061a080801120208011a0028c2afcfbf06"

    assert point(bytes.fromhex(recorded)) == ""


def test_our_own_readings_can_stand_in_their_curves() -> None:
    """The values are those of the reference's line, as a box of ours would have measured them."""
    ms = 1_750_000_000_000
    moments = [
        Moment("temperature_c", 18.76, ms), Moment("humidity_percent", 61.2, ms),
        Moment("pressure_hpa", 1013.25, ms), Moment("gas_resistance_ohm", 123456.0, ms),
        Moment("pm2_5_ug_m3", 8.4, ms), Moment("pm10_ug_m3", 15.2, ms),
        Moment("voltage_v", 3.98, ms), Moment("co2_ppm", 400.0, ms),
    ]  # fmt: skip
    head, fields, at = taken_apart(EXPECTED)
    kept = {each for each in fields if not each.startswith(("temp_rtc", "time_arrival"))}

    found = taken_apart(own_lines(moments, Meta(1, 113, 7)))

    assert found == (head, kept | {'time_arrival="2025-06-15T15:06:40Z"'}, at)
