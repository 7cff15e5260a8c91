"""The table ``[operator]`` of kiezbox.toml: who answers for this box. Shown to everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiezbox.settings.declaring import setting

#: Characters of one answer: it stands on a page of 15 kB and in now.json (``situation``).
MOST = {"controller": 300, "contact": 300, "privacy_basis": 400}


def _not_longer(name: str) -> Callable[[str], str]:
    most = MOST[name]
    return lambda value: f"has {len(value)} characters, at most {most}" * (len(value) > most)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSettings:
    """``[operator]``. What is empty here, the page *About* says is missing."""

    controller: str = setting(
        "",
        help="Who is responsible for this box and for what people write on it (the controller of\n"
        "the General Data Protection Regulation, Art. 4 no. 7): name and postal address.",
        check=_not_longer("controller"),
        example="Nachbarschaftsverein Musterplatz e. V., Musterplatz 1, 00000 Musterstadt",
    )
    contact: str = setting(
        "",
        help="How people reach you: telephone, e-mail, or when somebody is there.",
        check=_not_longer("contact"),
        example="box@musterplatz.example",
    )
    privacy_basis: str = setting(
        "",
        help="On which legal basis personal things are kept (Art. 6(1) GDPR), in a sentence for\n"
        "everybody. Ask whoever advises you on data protection.",
        check=_not_longer("privacy_basis"),
        example="Art. 6 Abs. 1 lit. d und e DSGVO: Schutz lebenswichtiger Interessen",
    )

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the settings without which nobody knows whom to turn to."""
        return tuple(name for name in MOST if not getattr(self, name))
