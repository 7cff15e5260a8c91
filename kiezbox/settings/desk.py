"""The table ``[desk]`` of kiezbox.toml: the operator's pages."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbox.settings.declaring import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """``[desk]``"""

    listen: str = setting(
        "127.0.0.1:8090",
        help="Address and port of the operator's pages, where systemd hands no socket over. They\n"
        "are not encrypted: from another computer one comes by ssh -L 8090:127.0.0.1:8090.",
    )
    run_dir: str = setting("/run/kiezbox-desk", help="Folder in memory for the one-time code.")
    state_dir: str = setting(
        "/var/lib/kiezbox-desk", help="Folder for the passphrase's hash; the desk's own user."
    )
