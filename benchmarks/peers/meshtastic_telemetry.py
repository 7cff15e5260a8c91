"""Meshtastic's own telemetry, by its own protobufs: bytes on the air for hours of seven quantities.

Run by the Python of .bench/meshtastic. In: {"hours": [[seven values of each minute, …], …],
"frames": [lengths of ours]}; out: the same lists in bytes on the air.

Each minute is two packets, as lean as the firmware can send it: environment (temperature,
humidity, pressure, and the battery's voltage, which saves the third packet) and air quality (PM2.5,
PM10, CO₂, whole numbers), each in a Telemetry with its time, in a Data message, behind the header.
"""

from __future__ import annotations

import json
import sys

from meshtastic.protobuf import mesh_pb2, portnums_pb2, telemetry_pb2

#: To, from, id, flags, channel, next hop, relay.
HEADER_BYTES = 16

#: Our port number (kiezbox.frames.PORT).
PORT = 300


def on_air(portnum: int, payload: bytes) -> int:
    return HEADER_BYTES + len(mesh_pb2.Data(portnum=portnum, payload=payload).SerializeToString())


def minute(at: int, values: list[float]) -> int:
    celsius, percent, hpa, fine, coarse, ppm, volts = values
    packets = (
        telemetry_pb2.Telemetry(
            time=at,
            environment_metrics=telemetry_pb2.EnvironmentMetrics(
                temperature=celsius,
                relative_humidity=percent,
                barometric_pressure=hpa,
                voltage=volts,
            ),
        ),
        telemetry_pb2.Telemetry(
            time=at,
            air_quality_metrics=telemetry_pb2.AirQualityMetrics(
                pm25_standard=round(fine), pm100_standard=round(coarse), co2=round(ppm)
            ),
        ),
    )
    port = portnums_pb2.PortNum.TELEMETRY_APP
    return sum(on_air(port, packet.SerializeToString()) for packet in packets)


def main() -> None:
    asked = json.load(sys.stdin)
    json.dump(
        {
            "hours": [
                sum(minute(1_796_040_000 + 60 * n, values) for n, values in enumerate(hour))
                for hour in asked["hours"]
            ],
            "frames": [on_air(PORT, bytes(length)) for length in asked["frames"]],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
