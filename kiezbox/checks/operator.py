"""Whether residents can read who answers for this box."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level

_ASKED = {
    "controller": "who is responsible for it",
    "contact": "how to reach somebody",
    "privacy_basis": "on which legal basis personal things are kept",
}


def run(box: Examined) -> Iterator[Finding]:
    missing = box.settings.operator.missing
    if missing:
        said = ", nor ".join(_ASKED[name] for name in missing)
        yield Finding(
            Level.WARNING,
            f"this box tells nobody {said}",
            "sudo kiezbox init asks for it; residents read it on the page About. Then restart the"
            " node.",
        )
    else:
        yield Finding(Level.FINE, f"{box.settings.operator.controller} answers for this box")
    if not box.settings.box.poison_phone:
        yield Finding(
            Level.NOTE,
            "this box does not know the poison helpline of its region",
            'sudo kiezbox init --poison-phone "…" --yes',
        )
