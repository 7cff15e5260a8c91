"""The table ``[trust]`` of kiezbox.toml: whose word is official."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbox.settings.declaring import setting


def _check_roots(value: tuple[str, ...]) -> str:
    for each in value:
        is_key = isinstance(each, str) and len(each) == 64
        if not is_key or not all(letter in "0123456789abcdef" for letter in each):
            return "must hold public keys of 64 digits (0-9, a-f): `kiezbox trust key` prints them"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSettings:
    """``[trust]``"""

    roots: tuple[str, ...] = setting(
        (),
        help="Public keys from which certificates are believed: whoever holds such a key decides\n"
        "whose bulletins this box calls official (docs/trust.md). None: nobody's.",
        check=_check_roots,
    )
