"""Who answers for the box, and what becomes of what people write."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium
from residents import Resident
from street import Portal, fresh, now_json, portal, write_facts

from kiezbox.i18n import LANGUAGES, text_of


def test_about_names_who_answers_for_the_box(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(now_json(operator__contact="<b>Klingel</b> & Co")))
    with portal(tmp_path) as served:
        page = Resident(served.port).open("/de/about")

    assert page.status == 200
    assert "Nachbarschaftsverein Musterplatz" in page.text
    assert page.text.count("&lt;b&gt;Klingel&lt;/b&gt; &amp; Co") == 4


def test_about_says_what_the_operator_has_not_said(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(now_json(operator=None)))
    missing = text_of("de", "about")["missing"]
    with portal(tmp_path) as served:
        page = Resident(served.port).open("/de/about")

    assert all(sentence in page.text for sentence in missing.values())


def test_about_is_small_in_every_language(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(now_json()))
    with portal(tmp_path) as served:
        for language in LANGUAGES:
            text = Resident(served.port).open(f"/{language}/about").text

            assert len(gzip.compress(text.encode(), 6)) <= 3_072, language
            assert text_of(language)["never_ask"] in text


def test_without_a_clip_nothing_leads_to_one(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(now_json()))
    with portal(tmp_path) as served:
        resident = Resident(served.port)

        assert "about/clip" not in resident.open("/de/about").text
        assert resident.open("/de/about/clip").path == "/de/about"


@pytest.mark.browser
def test_a_clip_in_sign_language_plays_where_one_is_installed(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(now_json()))
    with Chromium() as browser, portal(tmp_path) as served:
        film = filmed(browser)
        (tmp_path / "clips").mkdir()
        (tmp_path / "clips" / "sign-language.webm").write_bytes(film)
        resident = Resident(served.port)
        assert "/de/about/clip" in resident.open("/de/about").text

        browser.open(f"http://127.0.0.1:{served.port}/de/about/clip", 360)
        played = evaluate(
            browser,
            "new Promise(done => {const film = document.querySelector('video');"
            "film.muted = true; film.onended = () => done(['ended', film.currentTime]);"
            "film.onerror = () => done(['error', film.error.message]); film.play()})",
        )

    assert played[0] == "ended" and played[1] > 0.5


def test_pieces_of_a_clip_are_those_that_were_asked_for(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", fresh(now_json()))
    (tmp_path / "clips").mkdir()
    film = bytes(range(256)) * 1000
    (tmp_path / "clips" / "sign-language.mp4").write_bytes(film)
    got = b""
    with portal(tmp_path) as served:
        while len(got) < len(film):
            status, headers, body = piece(served, f"bytes={len(got)}-")
            assert status == 206 and len(body) <= 131_072
            begin = len(got)
            got += body
            assert headers["content-range"] == f"bytes {begin}-{len(got) - 1}/{len(film)}"

        assert got == film
        assert piece(served, "bytes=0-1")[2] == film[:2]
        for odd in (
            "",
            "bytes=-5",
            "bytes=9-2",
            "lines=1-",
            "bytes=999999999999-",
            "bytes=0-1,4-5",
        ):
            assert piece(served, odd)[0] == 303, odd


def piece(served: Portal, wanted: str) -> tuple[int, dict[str, str], bytes]:
    head = f"Range: {wanted}\r\n" if wanted else ""
    return served.ask(
        f"GET /de/about/clip/film HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}"
        "Connection: close\r\n\r\n".encode()
    )


def filmed(browser: Chromium) -> bytes:
    """A second of a moving square, by the browser's own encoder."""
    encoded = evaluate(
        browser,
        """(async () => {
          const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
          const tape = new MediaRecorder(canvas.captureStream(25), {mimeType: "video/webm"});
          const pieces = [];
          tape.ondataavailable = piece => pieces.push(piece.data);
          const over = new Promise(done => { tape.onstop = done; });
          tape.start();
          const began = performance.now();
          while (performance.now() - began < 1000) {
            pen.fillStyle = "white"; pen.fillRect(0, 0, 300, 150);
            pen.fillStyle = "black"; pen.fillRect((performance.now() - began) / 5, 50, 50, 50);
            await new Promise(done => setTimeout(done, 40));
          }
          tape.stop();
          await over;
          const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
          return btoa(String.fromCharCode(...bytes));
        })()""",
    )
    return base64.b64decode(encoded)


def evaluate(browser: Chromium, expression: str) -> Any:
    asked = browser.ask(
        "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
    )
    assert "exceptionDetails" not in asked, asked
    return asked["result"].get("value")
