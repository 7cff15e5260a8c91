"""What people say of a point: works, closed, broken. Whose word counts, and how many say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["STATES", "Report", "Standing", "standing"]

#: ``place_report.state``, by its number. Residents say the first three, an operator all but the
#: first.
STATES = ("works", "closed", "broken", "open")


class Report(NamedTuple):
    """``by``: "operator" of this box, the name of an issuer who signed it, or "" for neighbours.
    ``reporter``: the same for two reports of one person, b"" if that is not known.
    """

    state: str
    written_at: float
    by: str = ""
    reporter: bytes = b""


class Standing(NamedTuple):
    """What holds just now. ``voices``: how many different people said the same since somebody last
    said something else; 0 for an operator's word.
    """

    state: str
    written_at: float
    by: str
    voices: int


def standing(reports: Iterable[Report]) -> tuple[Standing | None, Standing | None]:
    """The operator's or an issuer's newest word, and the neighbours' newest one.

    A person's later report replaces the earlier one, so that nobody outvotes others alone.
    """
    newest_first = sorted(reports, key=lambda each: -each.written_at)
    official = next((each for each in newest_first if each.by), None)
    told: list[Report] = []
    heard: set[bytes] = set()
    for each in newest_first:
        if each.by or each.reporter in heard:
            continue
        if each.reporter:
            heard.add(each.reporter)
        told.append(each)
    above = official and Standing(official.state, official.written_at, official.by, 0)
    if not told:
        return above, None
    count = 0
    for each in told:
        if each.state != told[0].state:
            break
        count += 1
    return above, Standing(told[0].state, told[0].written_at, "", count)
