"""A drawing beside each main task, for whoever reads none of our languages well.

Our own, in strokes on a square of 24, a line of the text's colour; said to nobody's voice, because
the words stand beside them. About a hundred bytes each, in the page itself.
"""

from __future__ import annotations

__all__ = ["PICTOGRAMS", "pictogram"]

#: By the page's name (``answers.ROOMS``).
PICTOGRAMS = {
    # a needle in a map
    "where": "M12 22Q4 13 4 9a8 8 0 0 1 16 0q0 4-8 13zM12 6v6M9 9h6",
    # a hand, raised
    "help": "M7 13V6m3 6V3m4 9V3m3 10V6M7 13l-3-2v3l5 7h7q2-4 1-8",
    # a house with a tick
    "safe": "M3 11l9-8 9 8M5 10v11h14V10M8 15l3 3 5-6",
    # a sheet on a pin
    "board": "M5 5h14v16H5zM12 2v5M8 11h8M8 15h6",
    # a letter
    "messages": "M3 5h18v14H3zl9 8 9-8",
    # a thermometer
    "air": "M10 14V4a2 2 0 0 1 4 0v10a4 4 0 1 1-4 0zM18 5h3M18 9h3",
    # a list, ticked
    "steps": "M3 6l2 2 3-4M3 13l2 2 3-4M3 20l2 2 3-4M11 7h10M11 14h10M11 21h10",
    # somebody speaks
    "say": "M3 4h18v12H11l-5 5v-5H3z",
    # a triangle of warning
    "warnings": "M12 3l10 18H2zM12 9v6M12 17v2",
    # a letter i
    "about": "M12 2a10 10 0 1 0 .1 0zM12 6v2M12 11v7",
    # a sheet comes out of a printer
    "poster": "M7 8V2h10v6M7 17H3V8h18v9h-4M7 14h10v8H7z",
    # a screen on a stand
    "kiosk": "M2 4h20v13H2zM12 17v4M7 21h10",
    # a key
    "helper": "M8 7a4 4 0 1 0 .1 0zM12 11h10v4M18 11v3",
}


def pictogram(name: str) -> str:
    """HTML to put before the words; "" where there is none of this name."""
    path = PICTOGRAMS.get(name, "")
    return path and (
        f'<svg class=pic viewBox="0 0 24 24" aria-hidden=true><path d="{path}"/></svg>'
    )
