"""What one read of one sensor is worth: every value by itself, then side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.quality.course import GOOD, Course, Verdict
from kiezbox.quality.limits import DUST, NOTHING, Limits, limits_of

__all__ = ["DRAGS", "Judge"]

#: What is computed from, or measured in one go with, a value that cannot be falls with it, for
#: these reasons. A pressure that cannot be, or jumps, is often the only sign that a conversion is
#: none; a temperature jumps when the sun comes out. Fine and coarse dust are one laser's count,
#: which also stands still as a whole.
_IMPOSSIBLE = frozenset({"range", "raw-sentinel"})
DRAGS: dict[Quantity, tuple[frozenset[str], tuple[Quantity, ...]]] = {
    Quantity.PRESSURE_HPA: (
        _IMPOSSIBLE | {"step"},
        (Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT),
    ),
    Quantity.TEMPERATURE_C: (
        _IMPOSSIBLE,
        (Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA),
    ),
    **{
        each: (_IMPOSSIBLE | {"step", "stuck"}, tuple(o for o in DUST if o is not each))
        for each in DUST
    },
}

_NOBODY: tuple[frozenset[str], tuple[Quantity, ...]] = (frozenset(), ())


class Judge:
    """The rules over one sensor. Only ever makes a flag worse than the driver's, never better."""

    def __init__(self, limits: Mapping[Quantity, Limits] | None = None) -> None:
        """``limits``: other rows than the table's."""
        self._limits = dict(limits or {})
        self._courses: dict[Quantity, Course] = {}

    def lost(self) -> None:
        """The sensor did not answer: warming up begins anew."""
        for course in self._courses.values():
            course.lost()

    def judged(
        self, at: float, measurements: Sequence[Measurement], humidity: float | None = None
    ) -> list[Measurement]:
        """The same measurements, values and raw values untouched, with flag and reason.

        ``at`` is seconds on an axis that goes on; ``humidity`` is what a witness says just now.
        """
        verdicts = {one.quantity: self._alone(at, one) for one in measurements}
        values = {one.quantity: one.value for one in measurements}
        for quantity, verdict in list(verdicts.items()):
            reasons, others = DRAGS.get(quantity, _NOBODY)
            if verdict.reason in reasons:
                for other in others:
                    _worsen(verdicts, other, Verdict(verdict.flag, "cross"))
        _grains(values, verdicts)
        judged = [
            one._replace(flag=verdicts[one.quantity].flag, reason=verdicts[one.quantity].reason)
            for one in measurements
        ]
        return judged if humidity is None else self.humid(judged, humidity)

    def humid(self, judged: Sequence[Measurement], humidity: float | None) -> list[Measurement]:
        """The same, knowing how humid it is: particulates that swell are no good ones."""
        return [
            one._replace(flag=Flag.SUSPECT, reason="rh-high")
            if humidity is not None
            and one.flag == Flag.GOOD
            and humidity > self._row(one.quantity).humid_percent
            else one
            for one in judged
        ]

    def _row(self, quantity: Quantity) -> Limits:
        found = self._limits.get(quantity)
        if found is None:
            found = self._limits[quantity] = limits_of(quantity)
        return found

    def _alone(self, at: float, one: Measurement) -> Verdict:
        if one.flag != Flag.GOOD:
            least, most = self._row(one.quantity).possible
            is_possible = least <= one.value <= most
            return Verdict(one.flag if is_possible else Flag.BAD, one.reason)
        course = self._courses.get(one.quantity)
        if course is None:
            if self._row(one.quantity) is NOTHING:
                return GOOD
            course = self._courses[one.quantity] = Course(self._row(one.quantity))
        return course.of(at, one.value if one.raw is None else one.raw)


def _worsen(verdicts: dict[Quantity, Verdict], quantity: Quantity, to: Verdict) -> None:
    """A value keeps its own reason, and the worse flag."""
    verdict = verdicts.get(quantity)
    if verdict is not None and to.flag > verdict.flag:
        verdicts[quantity] = to if verdict == GOOD else Verdict(to.flag, verdict.reason)


def _grains(values: Mapping[Quantity, float], verdicts: dict[Quantity, Verdict]) -> None:
    """Less coarse dust than fine: one holds the other, so neither is believed.

    By however little: means, medians and rounding keep the order, and of 40,435 rows of the
    recording (January, March, May) none has it the other way round.
    """
    there = [quantity for quantity in DUST if quantity in values]
    for fine, coarse in zip(there, there[1:], strict=False):
        if values[fine] > values[coarse]:
            for quantity in there:
                _worsen(verdicts, quantity, Verdict(Flag.SUSPECT, "cross"))
