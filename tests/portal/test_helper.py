"""The helpers' page: let in by a code once and by a passphrase after, opening for one answer."""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import ssl
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from residents import Page, Resident
from street import Portal, fresh, outage, portal, read_all, write_facts
from test_tls import NAME, make_certificate

from kiezbox import sealing
from kiezbox.clock import SystemClock
from kiezbox.portal import holders
from kiezbox.portal.tries import BURST, BURST_OF_FRESH, EACH_OF_ALL_S, Tries
from kiezbox.records import Ref
from kiezbox.records.folds.ticket import said_bytes
from kiezbox.store import helping
from kiezbox.store.keyring import MOST_TRIES, Keyring
from kiezbox.store.log import Log

BOX = "kb-musterplatz-1"

PASSPHRASE = "vier Dosen Birnen"
PLACE = "Hinterhaus, vierter Stock"
EXACT = {"place": PLACE, "phone": "0170 5550199", "people": 3, "words": "Treppe <zu> steil"}


def words_path(box: Path) -> str:
    return str(box / "words" / "words.db")


def open_log(box: Path) -> Log:
    return Log.open(words_path(box), SystemClock(), box=BOX)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Portal, Any]]:
    """A portal whose helpers have a key, with one who holds it (number 1)."""
    box = tmp_path_factory.mktemp("helper")
    write_facts(box / "run", fresh(outage()))
    pair = sealing.new_pair()
    log = open_log(box)
    ring = Keyring(log)
    ring.set_public("helpers", pair.public)
    assert ring.admit("helpers", sealing.lock(pair.private, PASSPHRASE)).number == 1
    ring.set_switch("helper_over_http", True)
    log.close()
    with portal(box, "--secrets", str(box)) as found:
        yield box, found, pair


@pytest.fixture
def folder(shared: tuple[Path, Portal, Any]) -> Path:
    return shared[0]


_PHONES = count(2)


@pytest.fixture
def helper(shared: tuple[Path, Portal, Any]) -> Resident:
    return Resident(shared[1].port, address=f"127.0.4.{next(_PHONES)}")


@pytest.fixture
def ticket(folder: Path) -> str:
    """The number of a fresh request for help, with exact words sealed."""
    log = open_log(folder)
    publics = Keyring(log).publics()
    draft = helping.ticket_draft(publics, what="ask", needs=[3], block="Musterweg", exact=EXACT)
    (added,) = log.add(draft)
    log.close()
    return str(added.ref.sequence)


def code_for(folder: Path, pair: sealing.Pair, lasts_s: float = 3600.0) -> tuple[str, str]:
    """Number and code, as `kiezbox helper admit` makes them."""
    words = " ".join(sealing.words_of(sealing.random_bytes(16), "de", 5))
    log = open_log(folder)
    locked = sealing.lock(pair.private, sealing.folded(words))
    holder = Keyring(log).admit("helpers", locked, lasts_s=lasts_s)
    log.close()
    return str(holder.number), words


def enters(helper: Resident, number: str = "1", passphrase: str = PASSPHRASE) -> Page:
    helper.open("/de/helper")
    return helper.send("/de/helper", act="enter", number=number, passphrase=passphrase)


def claims(helper: Resident, number: str, code: str, new: str, again: str = "") -> Page:
    helper.open("/de/helper")
    fields = {"number": number, "code": code, "new": new, "again": again or new}
    return helper.send("/de/helper", fields, act="claim")


def does(helper: Resident, **fields: str) -> Page:
    """On the page that is open, with the token of who works here."""
    session = re.search(r"name=session value=(\S+?)>", helper.page.text)
    return helper.send("/de/helper", fields, session=session.group(1) if session else "")


def state(folder: Path, ticket: str) -> tuple[str, int]:
    log = open_log(folder)
    thing = log.thing(Ref(BOX, int(ticket)))
    log.close()
    assert thing is not None
    return thing.state, len(thing.data["takers"])


def openings(folder: Path) -> int:
    log = open_log(folder)
    found = len(log.records("opening"))
    log.close()
    return found


# --- coming in ------------------------------------------------------------------------------------


def test_a_code_lets_somebody_choose_a_passphrase_once(
    folder: Path, shared: tuple[Path, Portal, Any], helper: Resident
) -> None:
    number, code = code_for(folder, shared[2])

    first = claims(helper, number, code.upper().replace(" ", "-"), "drei rote Schirme")
    second = claims(helper, number, code, "vier blaue Schirme")

    assert "Der Code ist verbraucht" in first.text
    assert second.status == 403
    assert "Offen:" in enters(helper, number, "drei rote Schirme").text
    assert enters(helper, number, "vier blaue Schirme").status == 403


def test_a_code_that_is_too_old_lets_nobody_in(
    folder: Path, shared: tuple[Path, Portal, Any], helper: Resident
) -> None:
    number, code = code_for(folder, shared[2], lasts_s=0.001)

    assert claims(helper, number, code, "drei rote Schirme").status == 403


@pytest.mark.parametrize(
    "new, again, said",
    [
        ("kurz", "kurz", "zu kurz"),
        ("a" * 40, "a" * 40, "zu einfach"),
        ("drei rote Schirme", "drei rote Schirm", "verschieden"),
    ],
)
def test_a_weak_or_mistyped_passphrase_costs_no_code(
    folder: Path, shared: tuple[Path, Portal, Any], helper: Resident, new: str, again: str,
    said: str,
) -> None:  # fmt: skip
    number, code = code_for(folder, shared[2])

    refused = claims(helper, number, code, new, again)
    taken = claims(helper, number, code, "drei rote Schirme")

    assert said in refused.text
    assert "Offen:" in taken.text


def test_a_wrong_code_is_counted_on_the_card_and_then_void(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    ring = Keyring(log)
    number = ring.admit("helpers", b"locked", lasts_s=3600).number

    with log.group():
        for _ in range(MOST_TRIES - 1):
            ring.tried(number)
    is_there = ring.holder(number) is not None
    ring.tried(number)

    assert is_there
    assert ring.holder(number) is None
    assert not ring.settle(number, b"other")
    log.close()


def test_no_lock_or_code_is_on_the_card_in_the_clear(
    folder: Path, shared: tuple[Path, Portal, Any], helper: Resident
) -> None:
    number, code = code_for(folder, shared[2])
    claims(helper, number, code, "drei gelbe Schirme")

    copied = b"".join(Path(words_path(folder) + end).read_bytes() for end in ("", "-wal"))
    for hidden in (shared[2].private, b"drei gelbe Schirme", code.encode(),
                   sealing.folded(code).encode(), PASSPHRASE.encode()):  # fmt: skip
        assert hidden not in copied


def test_five_wrong_passphrases_make_a_guest_wait_and_nobody_else(helper: Resident) -> None:
    answers = [enters(helper, passphrase=f"falsche Passphrase {n}") for n in range(BURST + 1)]

    assert [page.status for page in answers] == [403] * BURST + [429]
    assert "Bitte warten Sie" in answers[-1].text
    other = Resident(helper.port, address="127.0.4.250")
    assert "Offen:" in enters(other).text


def test_a_thousand_addresses_guess_no_faster_than_one_in_five_seconds() -> None:
    now, tried = [1000.0], 0
    tries = Tries(lambda: now[0])

    for _ in range(600):
        for n in range(1000):
            client = f"10.42.{n >> 8}.{n & 255}"
            if not tries.wait_s(client):
                tries.was_wrong(client)
                tried += 1
        now[0] += 1.0

    assert tried <= BURST_OF_FRESH + 600 / EACH_OF_ALL_S + 1


def test_a_dozen_strangers_who_are_always_wrong_keep_no_helper_out() -> None:
    now = [1000.0]
    tries = Tries(lambda: now[0])
    tries.was_right("10.42.1.1")

    for _ in range(600):
        for n in range(12):
            if not tries.wait_s(f"10.42.0.{n}"):
                tries.was_wrong(f"10.42.0.{n}")
        now[0] += 1.0
        # Who worked here before, and who comes for the first time.
        assert tries.wait_s("10.42.1.1") == 0
        assert tries.wait_s("10.42.1.2") == 0


def test_who_was_right_once_is_no_freer_to_guess() -> None:
    tries = Tries(lambda: 1000.0)
    tries.was_right("10.42.0.7")

    for _ in range(BURST):
        assert tries.wait_s("10.42.0.7") == 0
        tries.was_wrong("10.42.0.7")

    assert tries.wait_s("10.42.0.7") > 0


def test_without_https_nobody_is_asked_for_a_passphrase_unless_the_operator_allows_it(
    folder: Path, helper: Resident
) -> None:
    log = open_log(folder)
    ring = Keyring(log)
    ring.set_switch("helper_over_http", False)
    try:
        page = helper.open("/de/helper?again")
        refused = helper.send("/de/helper", act="enter", number="1", passphrase=PASSPHRASE)
        on_the_box = Resident(helper.port, address="127.0.0.1").open("/de/helper?again")
    finally:
        ring.set_switch("helper_over_http", True)
        log.close()

    assert "Nur über https" in page.text and "type=password" not in page.text
    assert "Offen:" not in refused.text
    assert "type=password" in on_the_box.text


def test_where_it_is_allowed_the_page_says_what_that_means(helper: Resident) -> None:
    assert "Achtung: ohne https" in helper.open("/de/helper").text


def test_the_page_and_the_rules_agree_on_roles() -> None:
    assert holders.WORKS_AS == {role: str(name) for role, name in helping.WORKS_AS.items()}
    assert set(holders.WORKS_AS) == set(sealing.ROLES)
    assert holders.MOST_TRIES == MOST_TRIES
    assert len(holders.NOBODY) == len(sealing.lock(bytes(32), PASSPHRASE))
    assert holders.NOBODY[:6] == sealing.lock(bytes(32), PASSPHRASE)[:6]


# --- half an hour ---------------------------------------------------------------------------------


def test_a_session_outlives_the_portal_and_still_signs(
    tmp_path: Path, shared: tuple[Path, Portal, Any]
) -> None:
    pair = shared[2]
    write_facts(tmp_path / "run", fresh(outage()))
    log = open_log(tmp_path)
    ring = Keyring(log)
    ring.set_public("helpers", pair.public)
    ring.admit("helpers", sealing.lock(pair.private, PASSPHRASE))
    ring.set_switch("helper_over_http", True)
    draft = helping.ticket_draft(ring.publics(), what="ask", needs=[1], block="W", exact=EXACT)
    number = str(log.add(draft)[0].ref.sequence)
    log.close()
    with portal(tmp_path, "--secrets", str(tmp_path)) as found:
        helper = Resident(found.port, address="127.0.4.249")
        enters(helper)
        found.process.kill()
    with portal(tmp_path, "--secrets", str(tmp_path)) as found:
        helper.port = found.port
        does(helper, act="take", ticket=number)

    assert state(tmp_path, number) == ("taken", 1)


def test_the_token_of_one_phone_is_worth_nothing_on_another(
    folder: Path, helper: Resident, ticket: str
) -> None:
    page = enters(helper)
    stolen = re.search(r"name=session value=(\S+?)>", page.text)
    assert stolen
    thief = Resident(helper.port, address="127.0.4.251")
    thief.open("/de/helper")

    answer = thief.send("/de/helper", act="take", ticket=ticket, session=stolen.group(1))

    assert answer.status == 403
    assert state(folder, ticket) == ("received", 0)


@pytest.mark.parametrize("session", ["", "1", "1.9999999999.00", "..", "1.x.y", "²." * 9])
def test_a_made_up_token_opens_nothing(
    folder: Path, helper: Resident, ticket: str, session: str
) -> None:
    helper.open("/de/helper")

    answer = helper.send("/de/helper", act="take", ticket=ticket, session=session)

    assert answer.status == 403
    assert state(folder, ticket) == ("received", 0)


def test_somebody_who_was_removed_is_out_at_once(
    folder: Path, shared: tuple[Path, Portal, Any], helper: Resident, ticket: str
) -> None:
    number, code = code_for(folder, shared[2])
    claims(helper, number, code, "drei rote Schirme")
    log = open_log(folder)
    Keyring(log).remove(int(number))
    log.close()

    assert does(helper, act="take", ticket=ticket).status == 403


# --- working --------------------------------------------------------------------------------------


def test_a_helper_reads_takes_yields_and_ends_a_ticket(
    folder: Path, helper: Resident, ticket: str
) -> None:
    assert "Musterweg" in enters(helper).text

    does(helper, ticket=ticket)
    for act, after in (
        ("acknowledge", ("acknowledged", 0)),
        ("take", ("taken", 1)),
        ("yield", ("acknowledged", 0)),
        ("take", ("taken", 1)),
        ("done", ("done", 0)),
        ("reopen", ("acknowledged", 0)),
        ("close", ("closed", 0)),
    ):
        assert f"value={act}>" in helper.page.text
        page = does(helper, act=act, ticket=ticket)
        assert page.status == 200
        assert state(folder, ticket) == after


def test_who_comes_second_is_told_how_it_stands(
    folder: Path, shared: tuple[Path, Portal, Any], helper: Resident, ticket: str
) -> None:
    enters(helper)
    does(helper, ticket=ticket)
    log = open_log(folder)
    signer = sealing.signer_of(shared[2].private)
    helping.act(log, Ref(BOX, int(ticket)), "close", "helper", who=b"another.", signer=signer)
    log.close()

    page = does(helper, act="take", ticket=ticket)

    assert "Jemand war schneller" in page.text
    assert "Geschlossen" in page.text


def test_a_button_pressed_twice_is_one_step(folder: Path, helper: Resident, ticket: str) -> None:
    enters(helper)
    page = does(helper, ticket=ticket)
    session = re.search(r"name=session value=(\S+?)>", page.text)
    assert session
    fields = {"act": "take", "ticket": ticket, "session": session.group(1), "token": page.token}

    pages = [helper.send("/de/helper", fields) for _ in range(2)]

    assert all("schneller" not in page.text for page in pages)
    assert state(folder, ticket) == ("taken", 1)


def test_the_list_of_helpers_is_short_enough_for_a_crowded_wlan(
    folder: Path, helper: Resident
) -> None:
    log = open_log(folder)
    with log.group():
        for n in range(25):
            block = f"Lange Straße zwischen der Kirche und dem Platz, Aufgang {n}"
            log.add(helping.ticket_draft({}, what="ask", needs=[n % 7, 6], block=block, exact={}))
    log.close()

    first = enters(helper)
    older = does(helper, page="1")

    for page in (first, older):
        assert len(page.text.encode()) <= 15_000
        assert len(gzip.compress(page.text.encode(), 6)) <= 3500
    assert first.text.count("name=ticket value=") == 20
    assert "name=ticket value=" in older.text


@pytest.mark.parametrize("act", ["merge", "withdraw", "left", "burn", "__class__"])
def test_what_a_helper_may_not_do_is_not_done(
    folder: Path, helper: Resident, ticket: str, act: str
) -> None:
    enters(helper)

    does(helper, act=act, ticket=ticket)

    assert state(folder, ticket) == ("received", 0)


def test_the_passphrase_opens_for_one_answer_and_that_is_written_down(
    folder: Path, helper: Resident, ticket: str
) -> None:
    enters(helper)
    listed = does(helper, ticket=ticket)
    before = openings(folder)

    opened = does(helper, act="open", ticket=ticket, passphrase=PASSPHRASE)
    after = does(helper, ticket=ticket)

    assert PLACE not in listed.text and PLACE not in after.text
    assert PLACE in opened.text and "Treppe &lt;zu&gt; steil" in opened.text
    assert 'href="tel:01705550199"' in opened.text
    assert openings(folder) == before + 1


def test_a_wrong_passphrase_opens_nothing_and_writes_nothing_down(
    folder: Path, helper: Resident, ticket: str
) -> None:
    enters(helper)
    does(helper, ticket=ticket)
    before = openings(folder)

    page = does(helper, act="open", ticket=ticket, passphrase="vier Dosen Pflaumen")

    assert "stimmt nicht" in page.text and PLACE not in page.text
    assert openings(folder) == before


def test_what_is_sealed_to_another_key_is_said_to_be(folder: Path, helper: Resident) -> None:
    log = open_log(folder)
    foreign = {"helpers": sealing.new_pair().public}
    draft = helping.ticket_draft(foreign, what="ask", needs=[1], block="Weg", exact=EXACT)
    (added,) = log.add(draft)
    log.close()
    number = str(added.ref.sequence)
    enters(helper)
    does(helper, ticket=number)

    page = does(helper, act="open", ticket=number, passphrase=PASSPHRASE)
    taken = does(helper, act="take", ticket=number)

    assert "nicht öffnen" in page.text
    assert "gehört zu einem anderen Schlüssel" in taken.text
    assert state(folder, number) == ("received", 0)


def test_what_a_helper_does_and_opens_is_signed_by_the_role(
    folder: Path, shared: tuple[Path, Portal, Any], helper: Resident, ticket: str
) -> None:
    enters(helper)
    does(helper, ticket=ticket)
    does(helper, act="take", ticket=ticket)
    page = does(helper, act="open", ticket=ticket, passphrase=PASSPHRASE)
    log = open_log(folder)
    said, opening = log.records("ticket_state")[-1].body, log.records("opening")[-1]
    publics = {"helpers": shared[2].public}

    verifier = sealing.verifying_half(shared[2].public)
    assert sealing.is_signed(verifier, said_bytes(said), said["proof"])
    assert helping.is_opening_proven(log, opening, publics)
    forged = opening._replace(body={**opening.body, "who": b"somebody"})
    assert not helping.is_opening_proven(log, forged, publics)
    log.close()
    signer = sealing.signer_of(shared[2].private)
    for hidden in (signer, shared[2].private):
        assert hidden.hex() not in page.text


def test_nothing_exact_is_in_what_the_portal_says_to_its_log(
    tmp_path: Path, shared: tuple[Path, Portal, Any]
) -> None:
    """The process of this file has opened tickets and refused passphrases; it has said nothing."""
    box = tmp_path
    write_facts(box / "run", fresh(outage()))
    pair = sealing.new_pair()
    log = open_log(box)
    ring = Keyring(log)
    ring.set_public("helpers", pair.public)
    ring.admit("helpers", sealing.lock(pair.private, PASSPHRASE))
    ring.set_switch("helper_over_http", True)
    draft = helping.ticket_draft(ring.publics(), what="ask", needs=[1], block="W", exact=EXACT)
    (added,) = log.add(draft)
    log.close()
    with portal(box, "--secrets", str(box)) as found:
        helper = Resident(found.port, address="127.0.4.252")
        enters(helper)
        does(helper, ticket=str(added.ref.sequence))
        opened = does(helper, act="open", ticket=str(added.ref.sequence), passphrase=PASSPHRASE)
        enters(helper, passphrase="eine falsche Passphrase")
        found.process.terminate()
        said = found.process.communicate(timeout=20)[1]

    assert PLACE in opened.text
    for hidden in (PLACE, "5550199", PASSPHRASE, "falsche Passphrase"):
        assert hidden not in said


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
def test_by_https_the_passphrase_is_asked_for_as_it_should_be(tmp_path: Path) -> None:
    make_certificate(tmp_path / "certificate")
    write_facts(tmp_path / "run", fresh(outage(network__https_name=NAME)))
    open_log(tmp_path).close()
    arguments = ("--https", "127.0.0.1:0", "--certificate", str(tmp_path / "certificate"))
    with portal(tmp_path, *arguments) as served:
        plain = Resident(served.port, address="127.0.4.253").open("/de/helper")
        assert served.process.stderr is not None
        line = served.process.stderr.readline()
        port = int(re.findall(r"https://127\.0\.0\.1:(\d+)/", line)[0])
        context = ssl.create_default_context(cafile=f"{tmp_path}/certificate/fullchain.pem")
        with (
            socket.create_connection(
                ("127.0.0.1", port), timeout=20, source_address=("127.0.4.253", 0)
            ) as connection,
            context.wrap_socket(connection, server_hostname=NAME) as secret,
        ):
            head = f"GET /de/helper HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
            secret.sendall(head.encode())
            page = read_all(secret).decode()

    assert f'href="https://{NAME}/de/helper"' in plain.text and "type=password" not in plain.text
    assert "type=password" in page and "ohne https" not in page
