"""Who answers for the box, and what becomes of what people write."""

from __future__ import annotations

import gzip
from pathlib import Path

from residents import Resident
from street import fresh, now_json, portal, write_facts

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
