"""How many records are everywhere after how long, as SVG: no library, no script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["chart"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 420, 56, 40, 170, 44

#: Distinct also without colours (Okabe and Ito): by dash as well.
_LINES = (
    ("#d55e00", ""), ("#0072b2", "8 3"), ("#009e73", "2 2"), ("#cc79a7", "10 3 2 3"),
    ("#e69f00", "5 5"), ("#56b4e9", "1 3"), ("#000000", ""),
)  # fmt: skip

_MARKS_S = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 21600: "6 h"}
_LEAST_S, _MOST_S = 0.5, 21600.0


def chart(title: str, curves: Mapping[str, Sequence[float]]) -> str:
    """``curves``: a name, and how long each record took in seconds (infinite: never). The share of
    records over time, on a logarithmic axis.
    """
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for percent in range(0, 101, 25):
        y = bottom - percent / 100 * (bottom - _TOP)
        parts.append(f'<path d="M{_LEFT} {y:.0f}H{right}" stroke="#ccc"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{percent} %</text>')
    for moment, word in _MARKS_S.items():
        x = _x(moment)
        parts.append(f'<path d="M{x:.0f} {_TOP}V{bottom}" stroke="#eee"/>')
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{word}</text>')
    for place, (name, moments) in enumerate(curves.items()):
        colour, dash = _LINES[place % len(_LINES)]
        style = f'stroke="{colour}" stroke-width="2" fill="none" stroke-dasharray="{dash}"'
        parts.append(f'<path d="{_path(sorted(moments), bottom)}" {style}/>')
        y = _TOP + 10 + 22 * place
        parts.append(f'<path d="M{right + 12} {y}h28" {style}/>')
        parts.append(f'<text x="{right + 46}" y="{y + 4}">{escape(name)}</text>')
    parts.append(
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">until every box it is for has it</text></svg>'
    )
    return "\n".join(parts) + "\n"


def _x(moment: float) -> float:
    inside = min(max(moment, _LEAST_S), _MOST_S)
    share = math.log(inside / _LEAST_S) / math.log(_MOST_S / _LEAST_S)
    return _LEFT + share * (_WIDTH - _RIGHT - _LEFT)


def _path(moments: Sequence[float], bottom: float) -> str:
    height, count = bottom - _TOP, max(1, len(moments))
    steps = [f"M{_LEFT} {bottom}"]
    # A hundred steps are as many as can be seen.
    shown = range(1, len(moments) + 1, max(1, len(moments) // 100))
    for number in dict.fromkeys([*shown, len(moments)] if moments else []):
        if moments[number - 1] < math.inf:
            y = bottom - number / count * height
            steps.append(f"H{_x(moments[number - 1]):.1f}V{y:.1f}")
    return "".join([*steps, f"H{_WIDTH - _RIGHT}"])
