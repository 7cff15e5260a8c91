"""Who comes in, who does not, and what a hostile form finds."""

from __future__ import annotations

import json
import os
import stat
import threading
from typing import Any

import pytest
from desking import PASSPHRASE, Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiezbox.desk.vault import MOST_ATTEMPTS, Claim, Vault

HTML = "text/html; charset=utf-8"


def test_a_fresh_box_says_how_to_become_its_operator_and_lets_nobody_in(desk: Desk) -> None:
    visitor = desk.visitor()

    shown = visitor.get("/").get_data(as_text=True)

    assert "sudo kiezbox desk claim" in shown
    for word in ("", "admin", "kiezbox", "raspberry", "None", "null"):
        assert visitor.login(word).status_code in (403, 429)
        desk.clock.time_s += 60
    assert not visitor.is_in()


def test_a_code_makes_an_operator_who_sees_the_status_of_the_box(desk: Desk) -> None:
    desk.tell(box={"id": "kb-1", "name": "Späti"}, mode={"name": "emergency", "since": 1})
    visitor = desk.visitor()

    answer = visitor.claim(desk.vault.new_code().lower())

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    shown = visitor.get("/").get_data(as_text=True)
    assert "kb-1 Späti" in shown and "emergency" in shown


def test_the_operator_reads_what_helps_in_each_room(desk: Desk) -> None:
    desk.tell(
        advice=[
            {"code": "co2_air_now", "room": "<Bad>", "value": 2300.4},
            {"code": "damp_air_now", "room": "Küche", "value": 68.0},
            {"code": "of another version", "room": "Küche", "value": None},
            "nothing", {"code": None}, {"code": ["fine"], "value": "x"},
        ]
    )  # fmt: skip
    visitor = desk.operator()

    shown = visitor.get("/", headers={"Accept-Language": "de"}).get_data(as_text=True)

    assert "&lt;Bad&gt;: Bitte jetzt lüften: Die Luft ist verbraucht (CO₂: 2300 ppm)." in shown
    assert "<li>Küche: Lüften hilft jetzt: Draußen ist es trockener.</li>" in shown
    assert shown.count("<li>") == 2
    shown = visitor.get("/", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "<li>Küche: Airing helps now: it is drier outside.</li>" in shown


def test_nobody_reads_of_rooms_without_logging_in(desk: Desk) -> None:
    desk.operator()
    desk.tell(advice=[{"code": "damp_air_now", "room": "Küche", "value": 68.0}])

    for path in ("/", "/login", "/claim"):
        assert "Küche" not in desk.visitor().get(path).get_data(as_text=True)


def test_the_operator_comes_back_with_the_passphrase_and_nobody_with_another(desk: Desk) -> None:
    desk.operator()
    other, wrong = desk.visitor(), desk.visitor("192.0.2.7")

    assert other.login().status_code == 303
    assert other.is_in()
    assert wrong.login(PASSPHRASE + "x").status_code == 403
    assert not wrong.is_in()


@pytest.mark.parametrize("waited_s", [901.0, 86400.0])
def test_a_code_is_void_after_a_quarter_of_an_hour(desk: Desk, waited_s: float) -> None:
    code = desk.vault.new_code()
    desk.clock.time_s += waited_s

    answer = desk.visitor().claim(code)

    assert answer.status_code == 403
    assert not desk.vault.is_claimed()


def test_a_code_from_before_a_new_start_of_the_machine_is_void(desk: Desk) -> None:
    """Its age is counted from the machine's start; a smaller one than the code's is no age."""
    code = desk.vault.new_code()
    desk.clock.time_s -= 5000

    assert desk.vault.claim(code, PASSPHRASE) is Claim.NONE


def test_a_code_opens_once(desk: Desk) -> None:
    code = desk.vault.new_code()
    desk.visitor().claim(code)

    answer = desk.visitor("192.0.2.7").claim(code, "another passphrase")

    assert answer.status_code == 403
    assert desk.vault.knows(PASSPHRASE)


def test_a_code_opens_once_for_eight_who_come_at_the_same_time(desk: Desk) -> None:
    code = desk.vault.new_code()
    ended: list[Claim] = []
    start = threading.Barrier(8)

    def attempt(number: int) -> None:
        start.wait(timeout=10)
        ended.append(desk.vault.claim(code, f"passphrase {number} of eight"))

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(each.value for each in ended) == ["done"] + ["none"] * 7


def test_a_new_code_voids_the_one_before(desk: Desk) -> None:
    first, second = desk.vault.new_code(), desk.vault.new_code()

    assert desk.vault.claim(first, PASSPHRASE) is Claim.WRONG
    assert desk.vault.claim(second, PASSPHRASE) is Claim.DONE


def test_ten_guesses_void_the_code_also_across_processes(desk: Desk) -> None:
    code = desk.vault.new_code()
    run, state = str(desk.folders["run"]), str(desk.folders["state"])

    for _ in range(MOST_ATTEMPTS):
        assert Vault(run, state, desk.clock).claim("0000-0000", PASSPHRASE) is Claim.WRONG

    assert desk.vault.claim(code, PASSPHRASE) is Claim.NONE


@pytest.mark.parametrize(
    ("passphrase", "again"),
    [("short", "short"), ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"), (PASSPHRASE, "a slip of it")],
)
def test_a_slip_of_the_finger_does_not_use_the_code_up(
    desk: Desk, passphrase: str, again: str
) -> None:
    code = desk.vault.new_code()

    first = desk.visitor().claim(code, passphrase, again)

    assert first.status_code == 400
    assert desk.visitor().claim(code).status_code == 303


def test_files_hold_hashes_and_belong_to_the_desk_alone(desk: Desk) -> None:
    code = desk.vault.new_code()
    before = desk.files()
    operator = desk.operator()

    written = "".join([*before.values(), *desk.files().values()]).lower()

    for secret in (code, code.replace("-", ""), PASSPHRASE, operator.cookie()):
        assert secret.lower() not in written
    (path,) = desk.folders["state"].iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(desk.folders["run"].iterdir()) == []


def test_a_code_that_root_gives_out_belongs_to_the_folder_s_owner(desk: Desk) -> None:
    if os.geteuid() != 0:
        pytest.skip("skipped, because only root can give a file away")
    os.chown(desk.folders["run"], 12345, 12345)

    desk.vault.new_code()

    assert (desk.folders["run"] / "claim.json").stat().st_uid == 12345


def test_a_new_operator_ends_what_the_old_one_had_open(desk: Desk) -> None:
    old = desk.operator()

    new = desk.visitor("192.0.2.7")
    new.claim(desk.vault.new_code(), "another passphrase")

    assert new.is_in() and not old.is_in()
    assert not desk.vault.knows(PASSPHRASE)


@pytest.mark.parametrize("pause_s", [1801, 1000])
def test_a_session_ends_when_it_is_left_alone_or_after_half_a_day(desk: Desk, pause_s: int) -> None:
    operator = desk.operator()

    visits = 0
    while visits < 60:
        desk.clock.time_s += pause_s
        if not operator.is_in():
            break
        visits += 1

    # 30 minutes alone, or 12 hours in all.
    assert visits == (0 if pause_s == 1801 else 43)


def test_whoever_logs_out_is_out_and_the_cookie_opens_nothing_more(desk: Desk) -> None:
    operator = desk.operator()
    cookie = operator.cookie()

    operator.post("/logout", {"token": operator.token("/")})

    thief = desk.visitor()
    thief.client.set_cookie("kiezbox_desk", cookie)
    assert not thief.is_in() and not operator.is_in()


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(desk: Desk) -> None:
    answer = desk.visitor().claim(desk.vault.new_code())

    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; ")[1:])
    assert "Domain" not in cookie


def test_a_cookie_that_somebody_planted_before_the_login_opens_nothing(desk: Desk) -> None:
    desk.operator()
    victim = desk.visitor()
    victim.client.set_cookie("kiezbox_desk", "planted")

    victim.login()

    thief = desk.visitor()
    thief.client.set_cookie("kiezbox_desk", "planted")
    assert victim.is_in() and not thief.is_in()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_a_foreign_page_is_refused_even_with_the_right_token(
    desk: Desk, headers: dict[str, str]
) -> None:
    code = desk.vault.new_code()
    visitor = desk.visitor()
    form = {"code": code, "passphrase": PASSPHRASE, "again": PASSPHRASE}

    answer = visitor.post("/claim", {**form, "token": visitor.token("/claim")}, headers=headers)

    assert answer.status_code == 403
    assert not desk.vault.is_claimed()
    # And it has cost the operator no attempt.
    assert desk.visitor().claim(code).status_code == 303


def test_a_form_needs_the_token_of_this_very_visitor(desk: Desk) -> None:
    operator, other = desk.operator(), desk.visitor()

    answers = [
        operator.post("/logout", {"token": token})
        for token in ("", "x", "ä", other.token("/login"), operator.token("/")[:-1])
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert operator.is_in()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8090", 200),
        ("[::1]:8090", 200),
        ("LOCALHOST", 200),
        ("192.168.7.1", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:8090", 403),
        ("[::1", 403),
        ("a:b:c", 403),
    ],
)
def test_a_foreign_name_that_points_at_the_box_is_refused(
    desk: Desk, host: str, status: int
) -> None:
    """DNS rebinding: the operator's own browser is made to ask us under the attacker's name."""
    answer = desk.visitor().get("/claim", headers={"Host": host})

    assert answer.status_code == status


def test_guessing_is_slowed_down_for_one_and_for_all(desk: Desk) -> None:
    desk.operator()
    desk.clock.time_s += 3600
    guesser = desk.visitor("192.0.2.1")

    guesses = [guesser.login(f"guess number {n}") for n in range(8)]
    many = [desk.visitor(f"198.51.100.{n}").login("a guess of many") for n in range(30)]

    assert [each.status_code for each in guesses] == [403] * 5 + [429] * 3
    assert int(guesses[-1].headers["Retry-After"]) == 20
    assert sum(each.status_code == 403 for each in many) == 15
    desk.clock.time_s += 120
    assert desk.visitor("192.0.2.1").login().status_code == 303


def test_a_phone_with_a_thousand_ipv6_addresses_is_one_visitor(desk: Desk) -> None:
    desk.operator()

    guesses = [desk.visitor(f"2001:db8::{n}").login("a guess of one") for n in range(8)]

    assert sum(each.status_code == 403 for each in guesses) == 5


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=\x00&token=%00%ff", "application/x-www-form-urlencoded"),
        (b"token=" + b"a" * 3000, "application/x-www-form-urlencoded"),
        (b"a=&" * 900, "application/x-www-form-urlencoded"),
        (b"x" * 9000, "application/x-www-form-urlencoded"),
        (b"--b\r\nContent-Disposition: form-data; name=a\r\n", "multipart/form-data; boundary=b"),
        (b"--b", "multipart/form-data; boundary="),
        (b'{"token": 1}', "application/json"),
        (b"token[]=1&token[]=2", "application/x-www-form-urlencoded"),
        (b"{{7*7}}", "text/plain"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/claim", "/login", "/logout"])
def test_a_hostile_form_is_refused_and_nothing_breaks(
    desk: Desk, path: str, form: bytes, content_type: str
) -> None:
    answer = desk.visitor().post(path, form, content_type=content_type)

    assert answer.status_code in (400, 403, 413)
    assert answer.content_type == HTML
    assert desk.files() == {}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.text(max_size=60), passphrase=st.text(max_size=60), cookie=st.text(max_size=40))
def test_no_text_in_a_field_breaks_the_desk(
    desk: Desk, code: str, passphrase: str, cookie: str
) -> None:
    desk.clock.time_s += 600
    desk.vault.new_code()
    visitor = desk.visitor()

    answers = [visitor.claim(code, passphrase), visitor.login(passphrase)]
    answers.append(visitor.get("/", headers={"Cookie": f"kiezbox_desk={cookie!r}"}))

    assert all(answer.status_code < 500 for answer in answers)


@pytest.mark.parametrize("path", ["/", "/claim", "/login", "/style.css", "/none", "/../etc"])
def test_a_get_writes_nothing(desk: Desk, path: str) -> None:
    desk.vault.new_code()
    before = desk.files()

    desk.visitor().get(path)

    assert desk.files() == before


@pytest.mark.parametrize("path", ["/", "/claim", "/login", "/style.css", "/none"])
def test_every_answer_forbids_scripts_frames_and_being_kept(desk: Desk, path: str) -> None:
    answer = desk.visitor().get(path)

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_the_node_says_is_shown_as_text(desk: Desk) -> None:
    script = "<script>alert(1)</script>"
    desk.tell(
        box={"id": script, "name": script},
        faults=[{"message": script, "hint": script}],
        latest={script: {"value": 1, "flag": 1, "reason": script}},
        network={"ssid": script, "wanted": "emergency", "guests": 3},
    )

    shown = desk.operator().get("/").get_data(as_text=True)

    assert "<script" not in shown and "&lt;script&gt;" in shown


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"box": None, "mode": [], "grid": 3, "battery": "x", "latest": {"a/b": 1}, "faults": [1]},
        {"mode": {"since": 1e300}, "latest": {"roof/temperature": {"value": "warm"}}},
    ],
)
def test_strange_facts_of_another_version_do_not_break_the_page(
    desk: Desk, facts: dict[str, Any]
) -> None:
    desk.tell(**facts)

    assert desk.operator().is_in()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
PARTS = ("box", "mode", "grid", "battery", "network", "latest", "store", "publishers", "faults")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=st.dictionaries(st.sampled_from(PARTS), ANYTHING))
def test_no_facts_whatsoever_break_the_page(desk: Desk, facts: dict[str, Any]) -> None:
    from kiezbox.desk.status import rows

    shown = list(rows(facts, lambda key: key))

    assert all(isinstance(name, str) and isinstance(text, str) for name, text in shown)


def test_old_facts_are_not_shown_as_news(desk: Desk) -> None:
    operator = desk.operator()
    desk.tell(box={"id": "kb-1"})
    desk.clock.time_s += 31

    shown = operator.get("/", headers={"Accept-Language": "en"}).get_data(as_text=True)

    assert "kb-1" not in shown and "The node does not run" in shown


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"salt": 1}', "\x00\xff"])
def test_a_damaged_file_lets_nobody_in_and_a_new_code_mends_it(desk: Desk, damage: str) -> None:
    desk.operator()
    (desk.folders["state"] / "operator.json").write_text(damage)

    visitor = desk.visitor("192.0.2.7")

    assert visitor.login().status_code == 403
    assert visitor.claim(desk.vault.new_code()).status_code == 303


def test_methods_that_are_not_offered_are_refused(desk: Desk) -> None:
    client = desk.app.test_client()

    found = {m: client.open("/claim", method=m).status_code for m in ("PUT", "DELETE", "TRACE")}

    assert set(found.values()) == {405}
    assert desk.visitor().get("/logout").status_code == 405


def test_the_operator_sees_who_cries_for_help_and_which_boxes_of_kiezbox_2_were_heard(
    desk: Desk,
) -> None:
    from kiezbox.desk.status import FOREIGN
    from kiezbox.store.foreign_file import FILE

    at = desk.clock.now() - 60
    box = {
        "name": "113/1", "last_heard_at": at, "battery_v": 12.87,
        "readings": {
            "outside/temperature_c": {"value": -3.25, "unit": "°C", "flag": 0, "reason": ""},
            "dust/pm10_ug_m3": {"value": 15.2, "unit": "µg/m³", "flag": 1, "reason": "rh-high"},
            "battery/voltage_v": {"value": 12.87, "unit": "V", "flag": 0, "reason": ""},
        },
    }  # fmt: skip
    cry = {"kind": "fire", "button_id": 5, "heard_at": at}
    seen = {"neighbours": [box, {"name": "<b>2"}, 7], "distress": [cry, {"kind": "x"}, None]}
    (desk.folders["node"] / FOREIGN).write_text(json.dumps(seen))
    visitor = desk.operator()

    shown = visitor.get("/", headers={"Accept-Language": "en"}).get_data(as_text=True)

    assert FOREIGN == FILE
    assert "DISTRESS (Kiezbox 2.0): fire (button 5, heard on " in shown
    assert "<h3>113/1</h3><p>heard on " in shown
    assert "<tr><th>outside/temperature_c</th><td>-3.25 °C</td></tr>" in shown
    assert "<tr><th>dust/pm10_ug_m3</th><td>15.2 µg/m³ (rh-high)</td></tr>" in shown
    assert "<tr><th>battery/voltage_v</th><td>12.87 V</td></tr>" in shown
    assert "&lt;b&gt;2" in shown
    # Also where the node does not run; and nobody else sees any of it.
    assert "The node does not run" in shown
    assert "113/1" not in desk.visitor().get("/login").get_data(as_text=True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"neighbours": 5, "distress": {"a": 1}}'])
def test_a_spoilt_file_of_neighbours_leaves_the_page_as_it_is(desk: Desk, text: str) -> None:
    from kiezbox.desk.status import FOREIGN

    (desk.folders["node"] / FOREIGN).write_text(text)
    desk.tell(box={"id": "kb-1", "name": "Späti"})

    assert "kb-1 Späti" in desk.operator().get("/").get_data(as_text=True)
