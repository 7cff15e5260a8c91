"""kill -9 of the portal between a POST and its answer: nothing confirmed is ever lost, and
a form that was loaded before counts after, once.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest
from residents import Resident
from street import LIMIT_S, portal, wait_for

from kiezbox.clock import SystemClock
from kiezbox.store.log import Log

#: Residents who send at the same time; each a phone with an address of its own.
RESIDENTS = 12


class Neighbour:
    """Somebody with a form open, and what came of it."""

    def __init__(self, port: int, number: int, text: str) -> None:
        self.phone = Resident(port, address=f"127.0.0.{2 + number}")
        self.text = text
        token = self.phone.open("/de/board/write").token
        assert token
        form = {"token": token, "topic": "1", "hours": "24", "text": text}
        self.body = urlencode(form).encode()
        self.is_confirmed = False
        self.status = 0

    def send(self) -> None:
        """The very same form each time, as a browser repeats it."""
        try:
            page = self.phone.send_raw("/de/board", self.body)
        except (OSError, IndexError):  # No answer, or not all of it.
            return
        self.status = page.status
        self.is_confirmed = page.status == 200 and "role=status" in page.text

    def send_until_taken(self) -> bool:
        """Again as long as it is told to come back later: the machine may be busy."""
        until = time.monotonic() + LIMIT_S
        while not self.is_confirmed and time.monotonic() < until:
            self.send()
            if self.status not in (0, 503, 504):
                break
        return self.is_confirmed


def posts(path: str) -> Counter[str]:
    db = sqlite3.connect(path)
    try:
        return Counter(text for (text,) in db.execute("SELECT text FROM things WHERE kind = 7"))
    finally:
        db.close()


@pytest.mark.parametrize(
    "kills", [6, pytest.param(100, marks=pytest.mark.long)], ids=["6 kills", "100 kills"]
)
def test_nothing_confirmed_is_lost_and_the_form_sent_again_is_stored_once(
    box: Path, kills: int
) -> None:
    dice = random.Random(kills)
    words = str(box / "words" / "words.db")
    Log.open(words, SystemClock(), box="kb-musterplatz-1").close()
    confirmed: Counter[str] = Counter()
    waiting: list[Neighbour] = []
    unanswered = 0
    for number in range(kills + 1):
        with portal(box, "--secrets", str(box)) as served:
            for neighbour in waiting:
                neighbour.phone.port = served.port
                taken = neighbour.send_until_taken()
                assert taken, f"{neighbour.text}: {neighbour.status} after a kill"
                confirmed[neighbour.text] += 1
            if number == kills:
                break
            group = [
                Neighbour(served.port, (number * RESIDENTS + n) % 250, f"Runde {number}, {n}")
                for n in range(RESIDENTS)
            ]
            threads = [threading.Thread(target=each.send) for each in group]
            for thread in threads:
                thread.start()
            if dice.random() < 0.7:
                wait_for(lambda group=group: any(each.is_confirmed for each in group), "one answer")
            time.sleep(dice.random() * 0.01)
            served.process.kill()
            served.process.wait(LIMIT_S)
            for thread in threads:
                thread.join(LIMIT_S)
            confirmed.update(each.text for each in group if each.is_confirmed)
            waiting = [each for each in group if not each.is_confirmed]
            unanswered += len(waiting)
        there = posts(words)
        missing = {text for text in confirmed if text not in there}
        assert not missing, f"confirmed and lost: {missing}"

    there = posts(words)
    assert there == confirmed
    assert set(there.values()) == {1}
    assert len(there) == kills * RESIDENTS
    assert unanswered > 0, "no kill came between a form and its answer"
