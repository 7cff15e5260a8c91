"""Pictures of every page into docs/screenshots: ``make screenshots`` (needs Chromium; a minute).

A phone of 360 px shows a box with invented content: in German by day and by night, in Arabic and in
Leichte Sprache by day. Each picture has at most 16 colours (maps 64) and is cut where it is long,
so that all of them together stay below 2 MB.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "portal")]

from chromium import Chromium  # noqa: E402
from furnished import furnished  # noqa: E402
from judge import Judge  # noqa: E402

OUT = ROOT / "docs" / "screenshots"

#: Name of the picture → path below the language.
PAGES = {
    "now": "", "where": "/where", "where-map": "/where/map", "help": "/help",
    "help-ask": "/help/ask", "safe": "/safe", "board": "/board", "board-write": "/board/write",
    "messages": "/messages", "air": "/air", "air-day": "/air/day/roof/temperature_c",
    "steps": "/steps", "steps-power": "/steps/power", "say": "/say", "warnings": "/warnings",
    "about": "/about", "kiosk": "/kiosk/still", "poster": "/poster", "poster-safe": "/poster/safe",
    "helper": "/helper", "info": "/info", "bulletins": "/bulletins",
}  # fmt: skip

#: What is also shown as it is at night.
AT_NIGHT = ("now", "where", "where-map", "help", "board", "air", "air-day", "warnings", "kiosk")

#: Folder → language and scheme.
SETS = {
    "de": ("de", "light"), "de-night": ("de", "dark"), "ar": ("ar", "light"),
    "de-simple": ("de_simple", "light"),
}  # fmt: skip

WIDTH, MOST_HEIGHT, COLOURS = 360, 1350, 16

#: The map's red dot is too small to be kept among sixteen colours.
COLOURS_OF_A_MAP = 64


def main() -> None:
    """Every page that leads nowhere else, in every set, and a first page for each situation."""
    for old in OUT.rglob("*.png"):
        old.unlink()
    with Chromium() as browser:
        judge = Judge(browser)
        taken = 0
        with tempfile.TemporaryDirectory() as folder, furnished(Path(folder)) as served:
            for name, (language, scheme) in SETS.items():
                judge.set_media("", scheme)
                for picture in AT_NIGHT if scheme == "dark" else PAGES:
                    path = PAGES[picture]
                    url = f"http://127.0.0.1:{served.port}/{language}{path}"
                    take(judge, url, OUT / name / f"{picture}.png")
                    taken += 1
        judge.set_media("", "light")
        for kind in ("ordinary", "exercise"):
            with tempfile.TemporaryDirectory() as folder, furnished(Path(folder), kind) as served:
                url = f"http://127.0.0.1:{served.port}/de"
                take(judge, url, OUT / "de" / f"now-{kind}.png")
                taken += 1
    size = sum(each.stat().st_size for each in OUT.rglob("*.png"))
    print(f"{taken} pictures in {OUT.relative_to(ROOT)}, {size / 1e6:.2f} MB in all")


def take(judge: Judge, url: str, out: Path) -> None:
    """One page from its top."""
    judge.open(url, WIDTH)
    height = min(MOST_HEIGHT, judge.see("document.documentElement.scrollHeight"))
    judge.chromium.ask(
        "Emulation.setDeviceMetricsOverride",
        width=WIDTH, height=height, deviceScaleFactor=1, mobile=True,
    )  # fmt: skip
    shot = judge.chromium.ask("Page.captureScreenshot", format="png")["data"]
    picture = Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB")
    out.parent.mkdir(parents=True, exist_ok=True)
    colours = COLOURS_OF_A_MAP if "map" in out.stem else COLOURS
    # Those that are furthest apart, or the dot would be as grey as the streets around it.
    how = Image.Quantize.MAXCOVERAGE
    picture.quantize(colours, how, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    main()
