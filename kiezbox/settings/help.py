"""The table ``[help]`` of kiezbox.toml: those who may read what residents seal."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbox.settings.declaring import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpSettings:
    """``[help]``"""

    helper_over_http: bool = setting(
        False,
        help="Whether helpers may type their passphrase on a page without https. On an open WLAN\n"
        "whoever is near can read it then, and with a copied card all that was sealed. Better: a\n"
        "certificate (docs/certificate.md). The portal learns it from the next `kiezbox helper`.",
    )
    code_hours: float = setting(
        24.0,
        help="How long a new helper's one-time code is good.",
        unit="h",
        least=0.1,
        most=168,
    )
