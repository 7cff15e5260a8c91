"""What must not leave a box does not, however it is written."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kiezbox.cli._redacting import SECRET, Redactor, secret_words

#: Passwords as people and machines make them; long enough not to stand in our own words by chance.
PASSWORDS = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=8, max_size=60
).map(str.strip)

#: How programs print one.
SPELLINGS = {
    "plain": lambda word: f"login failed with {word} at the broker",
    "in quotes": lambda word: f'password="{word}"',
    "in JSON": lambda word: json.dumps({"message": word}),
    "in JSON with its letters": lambda word: json.dumps({"message": word}, ensure_ascii=False),
    "in a URL": lambda word: f"mqtt://box:{urllib.parse.quote(word, safe='')}@example.org/topic",
    "in a query": lambda word: f"GET /?q={urllib.parse.quote_plus(word)} HTTP/1.1",
    "in Python": lambda word: f"ValueError: {word!r}",
    "in base64": lambda word: "Authorization: x" + base64.b64encode(word.encode()).decode(),
    "in hexadecimal": lambda word: f"psk={word.encode().hex()}",
    "twice, torn by itself": lambda word: word[:4] + word + word[4:],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(max_examples=50)
@given(word=PASSWORDS)
def test_a_password_never_appears(spelling: str, word: str) -> None:
    assume(len(word) >= 8 and word not in SECRET)
    text = SPELLINGS[spelling](word)

    shown = Redactor([word]).text(text)

    assert word not in shown
    assert urllib.parse.quote(word, safe="") not in shown
    assert word.encode().hex() not in shown
    assert base64.b64encode(word.encode()).decode().rstrip("=") not in shown


@given(word=PASSWORDS, before=st.text(max_size=40), after=st.text(max_size=40))
def test_whatever_stands_around_it(word: str, before: str, after: str) -> None:
    assume(len(word) >= 8 and word not in SECRET)

    assert word not in Redactor([word]).text(before + word + after)


@given(st.text(max_size=400))
def test_any_text_can_be_looked_through(text: str) -> None:
    redactor = Redactor(["a password of eight words"])

    assert redactor.is_clean(redactor.text(text))


PEM = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg
hk7pqXxJ8mN0cVbR2TzLq1
-----END PRIVATE KEY-----
"""


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (PEM, "error near hk7pqXxJ8mN0cVbR2TzLq1"),
        ("# for the name server\ndns_rfc2136_secret = tOpSeCrEt1234\n", "sent tOpSeCrEt1234"),
        ('password: "with spaces inside"\n', "got with spaces inside, refused"),
        ("just one line without an end", "just one line without an end"),
    ],
)
def test_of_a_file_of_secrets_every_line_and_every_value_is_one(content: str, line: str) -> None:
    shown = Redactor(secret_words(content)).text(line)

    assert SECRET in shown
    assert not Redactor(secret_words(content)).is_clean(line)


def test_a_heading_in_such_a_file_is_no_secret() -> None:
    assert Redactor(secret_words(PEM)).text("-----BEGIN PRIVATE KEY-----").startswith("-----BEGIN")


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        # As the programs print them: hostapd 2.10, wpa_supplicant 2.10, dnsmasq 2.90, iw 5.19.
        ("kb0: AP-STA-CONNECTED 4e:1f:22:a0:b3:c4", "4e:1f:22:a0:b3:c4"),
        ("wlan0: Trying to associate with 4e:1f:22:a0:b3:c4 (SSID='Anna und Ben' freq=2412 MHz)",
         "Anna und Ben"),
        ("\tSSID: FRITZ!Box 7530 XY", "FRITZ!Box 7530 XY"),
        ('network={ ssid="Zum Goldenen Hirsch" }', "Goldenen"),
        ("DHCPACK(kb-street) 10.42.0.17 4e:1f:22:a0:b3:c4 Annas-iPhone", "Annas-iPhone"),
        ("portal: 10.42.1.200 asked for /", "10.42.1.200"),
        ("portal: fd53:73c3:baa7::4c1f:22ff:fea0:b3c4 asked", "4c1f:22ff"),
        ("fe80::4c1f:22ff:fea0:b3c4%kb-street", "4c1f:22ff"),
        ("client 93.184.216.34:41000 closed", "93.184.216.34"),
        ("mqtt://anna:geheim@broker.example.org:8883/x", "geheim"),
        ("https://anna@example.org/", "anna"),
        ("mail to anna.schmidt@example.org failed", "anna.schmidt"),
        ("wpa_passphrase=hundename", "hundename"),
        ("cannot read /home/anna/kiezbox.toml", "anna"),
    ],
)  # fmt: skip
def test_what_looks_private_goes_by_its_looks(line: str, gone: str) -> None:
    shown = Redactor([], names=["Kiezbox-Notfall"]).text(line)

    assert gone not in shown
    assert "«" in shown


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22T18:30:00+0000 kiezbox[411]: 12:34:56 delivered 120 readings (backlog 0)",
        "address 198.51.100.1 on kb-street",
        "10.42.0.0/22 dev kb-street",
        "listening on 127.0.0.1:8090 and [::1]:8090, 0.0.0.0:67 and [::]:80",
        "ff02::1 is multicast, 255.255.255.0 a mask, fd53:73c3:baa7::/64 a network",
        'ssid "Kiezbox-Notfall"',
        "kiezbox 0.1.0, Python 3.11.7, hostapd 2:2.10-12+deb12u3",
        "a1b2c3d4e5f6 is no address without its colons",
    ],
)
def test_what_tells_nobody_stays(line: str) -> None:
    shown = Redactor([], addresses=["198.51.100.1"], names=["Kiezbox-Notfall"]).text(line)

    assert shown == line


def test_the_same_device_is_the_same_word_within_a_bundle_and_another_in_the_next() -> None:
    line = "4e:1f:22:a0:b3:c4 joined, 4E-1F-22-A0-B3-C4 left, 4e:1f:22:a0:b3:c5 stays"

    first, second = (re.findall(r"«[^»]+»", Redactor([]).text(line)) for _ in range(2))

    assert first[0] == first[1] != first[2]
    assert first[0] != second[0]


def test_values_of_telling_keys_go_whatever_they_look_like() -> None:
    facts = {
        "password": "hund",
        "publishers": {"mqtt": {"psk": "0123", "api_token": "x1", "host": "h"}},
        "box": {"latitude": 52.517037, "longitude": 13.388860},
        "key_file": "/etc/kiezbox/mesh.key",
    }

    shown = json.loads(Redactor([]).json(facts))

    assert shown["password"] == SECRET
    assert shown["publishers"]["mqtt"] == {"psk": SECRET, "api_token": SECRET, "host": "h"}
    # Which city, not which house.
    assert shown["box"] == {"latitude": 52.5, "longitude": 13.4}
    assert shown["key_file"] == "/etc/kiezbox/mesh.key"
