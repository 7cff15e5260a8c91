"""Shared by the tests of boxes that call each other."""

from __future__ import annotations

import pytest

from kiezbox.peers import calling, peers


@pytest.fixture
def quick_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The box with the greater name waits less for the other."""
    monkeypatch.setattr(calling, "PATIENCE_S", 0.3)
    monkeypatch.setattr(peers, "FIND_S", 0.5)
