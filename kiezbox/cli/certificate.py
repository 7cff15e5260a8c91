"""Say how the portal's certificate is, or have it renewed.

  kiezbox certificate [--json]    whether phones are sent to it, until when, and what is wrong
  kiezbox certificate renew       ask certbot for a new one if it is due (root; needs an uplink)

kiezbox-certificate.timer renews once a day while the box is closed; docs/certificate.md.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiezbox.network.certificate import Standing
    from kiezbox.settings import Settings

#: DNS has to be heard of in the whole world before the authority looks, and it looks twice.
CERTBOT_LIMIT_S = 1200.0


def main(argv: list[str]) -> int:
    """``kiezbox certificate [renew] [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, print_json

    parser = Parser("certificate", __doc__)
    parser.add_argument("what", nargs="?", choices=("status", "renew"), default="status")
    parser.add_argument("--json", action="store_true", help="for programs")
    # Where certbot keeps its own state; only tests have another place for it.
    parser.add_argument("--state-dir", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    if arguments.what == "renew":
        _renew(settings, arguments.state_dir)
    found = _standing(settings)
    if arguments.json:
        print_json(
            {
                "name": settings.network.certificate.name or None,
                "is_valid": found.is_valid,
                "reason": found.reason or None,
                "expires_at": found.expires_at,
                "issuer": found.issuer or None,
            }
        )
    else:
        print("\n".join(sentences(settings, found)))
    return 0


def _standing(settings: Settings) -> Standing:
    from kiezbox.cli._common import open_clock
    from kiezbox.network.certificate import Standing, standing

    certificate, clock = settings.network.certificate, open_clock(settings)
    if not certificate.name:
        return Standing(False, "is not asked for (network.certificate.name is empty)")
    return standing(certificate.folder, clock.now(), clock.is_trusted(), certificate.name)


def sentences(settings: Settings, found: Standing) -> list[str]:
    """The standing in words."""
    from datetime import UTC, datetime

    name = settings.network.certificate.name
    if found.is_valid and found.expires_at is not None:
        day = datetime.fromtimestamp(found.expires_at, UTC)
        return [f"certificate  good for {name} until {day:%Y-%m-%d}, by {found.issuer}"]
    lines = [f"certificate  {found.reason}"]
    if name:
        lines.append("             so the portal is reached by http alone, as without one")
    return lines + [f"             {found.hint}"] * bool(found.hint)


def _renew(settings: Settings, state_dir: str | None) -> None:
    """certbot, then its work into the folder.

    Raises:
        NetworkError: certbot is missing, failed, or took too long.
    """
    import subprocess

    from kiezbox.errors import NetworkError
    from kiezbox.network.certificate import STATE_DIR, install, renewal

    certificate = settings.network.certificate
    if certificate.name and not certificate.acme_dns:
        print("certificate  network.certificate.acme_dns is empty: somebody else renews it")
        return
    state_dir = state_dir or STATE_DIR
    argv = renewal(certificate, state_dir)
    hint = f"apt install certbot python3-certbot-dns-{certificate.acme_dns}"
    try:
        done = subprocess.run(argv, timeout=CERTBOT_LIMIT_S, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise NetworkError("certbot is not installed", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise NetworkError(
            f"certbot took longer than {CERTBOT_LIMIT_S:.0f} s", hint="Tried again tomorrow."
        ) from error
    if done.returncode:
        raise NetworkError(
            f"certbot failed with exit code {done.returncode}",
            hint=f"Its own words stand above and in {state_dir}/logs. The plugin: {hint}",
        )
    if install(certificate.folder, state_dir):
        print(f"certificate  new in {certificate.folder}")
