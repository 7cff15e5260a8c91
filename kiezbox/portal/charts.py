"""A series of means as a drawing: SVG made here, without script, in the page's own colours.

A line for the means, a pale band from the lowest to the highest reading, a gap where nothing was
measured. Numbers stand from left to right in every language; what the drawing says stands in words
beside it.
"""

from __future__ import annotations

from math import floor, log10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kiezbox.store.history import Span

__all__ = ["STYLE", "chart", "ticks"]

WIDTH, HEIGHT = 328, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 6, 8, 22

STYLE = """\
figure{margin:.9rem 0}.g{display:block;width:100%;max-width:38rem;font-size:13px;direction:ltr;\
fill:currentColor}\
.g path{fill:none;stroke:var(--a);stroke-width:2}.g .r{fill:var(--a);stroke:none;opacity:.3}\
.g .h{stroke:var(--l);stroke-width:1}"""


def ticks(low: float, high: float) -> list[float]:
    """Two to six round values that hold the range between them.

    >>> ticks(-5.1, 1.0), ticks(7, 7)
    ([-6.0, -4.0, -2.0, 0.0, 2.0], [6.5, 7.0, 7.5])
    """
    span = max(high - low, 1.0)
    step: float = 10.0 ** floor(log10(span / 2))
    step *= next(times for times in (1, 2, 5, 10) if span / (step * times) <= 4)
    first = floor(low / step)
    found = [first * step]
    while found[-1] < high or len(found) < 2:
        found.append(round((first + len(found)) * step, 6))
    return [found[0] - step, *found] if found[0] == low == high else found


def chart(
    spans: Sequence[Span],
    since: float,
    until: float,
    width_s: float,
    title: str,
    moments: Sequence[tuple[float, str]],
    written: Callable[[float], str],
) -> str:
    """``moments``: Unix seconds and what stands below them; ``written``: a value for people;
    ``title`` is HTML.
    """
    values = ticks(min(each.low for each in spans), max(each.high for each in spans))

    def x(at: float) -> int:
        return round(_LEFT + (at - since) / (until - since) * (WIDTH - _LEFT - _RIGHT))

    def y(value: float) -> int:
        share = (value - values[0]) / (values[-1] - values[0])
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM))

    lines = "".join(f"M{_LEFT} {y(value)}H{WIDTH - _RIGHT}" for value in values)
    lines += "".join(f"M{x(at)} {_TOP}V{HEIGHT - _BOTTOM}" for at, _ in moments)
    labels = "".join(
        f"<text x={_LEFT - 5} y={y(value) + 4} text-anchor=end>{written(value)}</text>"
        for value in values
    )
    labels += "".join(
        f"<text x={x(at)} y={HEIGHT - 6} text-anchor=middle>{label}</text>" for at, label in moments
    )
    band = line = ""
    for run in _runs(spans, width_s):
        middles = [(x(each.starts_at + width_s / 2), each) for each in run]
        line += "M" + "L".join(f"{at} {y(each.mean)}" for at, each in middles)
        if len(run) == 1:
            line += "h1"
        there = [f"{at} {y(each.high)}" for at, each in middles]
        back = [f"{at} {y(each.low)}" for at, each in reversed(middles)]
        band += "M" + "L".join(there + back) + "z"
    return (
        f'<svg class=g viewBox="0 0 {WIDTH} {HEIGHT}" role=img aria-label="{title}">'
        f'<path class=h d="{lines}"/><path class=r d="{band}"/><path d="{line}"/>{labels}</svg>'
    )


def _runs(spans: Sequence[Span], width_s: float) -> list[list[Span]]:
    """Pieces without a gap of three spans or more."""
    runs: list[list[Span]] = []
    for each in spans:
        if not runs or each.starts_at - runs[-1][-1].starts_at > 3 * width_s:
            runs.append([])
        runs[-1].append(each)
    return runs
