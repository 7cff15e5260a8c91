"""A desk for each test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("flask", reason="skipped, because Flask is not installed")

sys.path.insert(0, str(Path(__file__).resolve().parent))

from desking import Desk  # noqa: E402

from kiezbox.desk import words  # noqa: E402


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    # A hash that takes 0.2 s, as it should, would make these tests last a minute. One test in
    # test_words.py has the real cost.
    monkeypatch.setitem(words.SCRYPT, "n", 16)
    monkeypatch.setitem(words.SCRYPT, "p", 1)
    return Desk(tmp_path)
