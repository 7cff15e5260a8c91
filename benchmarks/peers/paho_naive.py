"""What is written first by everybody: publish a row, wait for the answer, delete the row.

Run as a program: ``python paho_naive.py DATABASE PORT TOPIC`` prints seconds and CPU seconds.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

NAME = "naive paho"


def prepare(path: Path, lines: list[str]) -> None:
    """A queue of messages in SQLite."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, payload TEXT)")
        db.executemany("INSERT INTO queue (payload) VALUES (?)", [(line,) for line in lines])


def main(path: str, port: int, topic: str) -> None:
    from paho.mqtt import client as paho

    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    db = sqlite3.connect(path)
    begun, cpu = time.monotonic(), time.process_time()
    for number, payload in db.execute("SELECT id, payload FROM queue ORDER BY id").fetchall():
        client.publish(topic, payload, qos=1).wait_for_publish()
        db.execute("DELETE FROM queue WHERE id = ?", (number,))
        db.commit()
    print(time.monotonic() - begun, time.process_time() - cpu, begun)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
