"""The portal's certificate as a phone would see it. openssl makes them, OpenSSL judges them."""

from __future__ import annotations

import calendar
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from network.authority import NAME, Authority, openssl

from kiezbox.errors import NetworkError
from kiezbox.network.certificate import install, renewal, standing
from kiezbox.settings import CertificateSettings

DAY = 86400.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("skipped, because the openssl command is not there (apt install openssl)")
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Valid from 2020 to the end of 2099."""
    return authority.certificate(tmp_path_factory.mktemp("good"))


@pytest.fixture(autouse=True)
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine knows the authority, and no other."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")


def judge(folder: Path, *, now: float | None = None, trusted: bool = True) -> tuple[bool, str]:
    found = standing(str(folder), time.time() if now is None else now, trusted, NAME)
    assert found.is_valid or (found.reason and found.hint)
    return found.is_valid, found.reason


def moment(year: int, month: int, day: int) -> float:
    return float(calendar.timegm((year, month, day, 0, 0, 0)))


def test_a_certificate_that_a_phone_would_take_is_good(good: Path) -> None:
    found = standing(str(good), time.time(), True, NAME)

    assert (found.is_valid, found.reason) == (True, "")
    assert found.expires_at == moment(2099, 12, 31)
    assert found.issuer == "Test Intermediate"


@pytest.mark.parametrize(
    ("now", "is_valid", "reason"),
    [
        (moment(2099, 12, 24), True, ""),
        (moment(2099, 12, 24) + 1, False, "has less than 7 days left (until 2099-12-31)"),
        (moment(2099, 12, 31), False, "has expired"),
        (moment(2019, 12, 31), False, "is not valid yet"),
    ],
)
def test_phones_are_told_of_it_until_seven_days_before_its_end(
    good: Path, now: float, is_valid: bool, reason: str
) -> None:
    assert judge(good, now=now) == (is_valid, reason)


def test_while_nobody_has_set_the_clock_no_certificate_is_good(good: Path) -> None:
    is_valid, reason = judge(good, trusted=False)

    assert not is_valid
    assert "clock" in reason


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"ends": "20200201000000Z"}, "has expired"),
        ({"begins": "20980101000000Z"}, "is not valid yet"),
        ({"name": "other.example.org"}, "is for another name"),
        ({"is_self_signed": True}, "is self-signed"),
        ({"has_intermediate": False}, "leads to no authority that this machine knows"),
    ],
)
def test_what_a_phone_would_refuse_is_said_with_its_reason(
    authority: Authority, tmp_path: Path, made: dict[str, Any], reason: str
) -> None:
    folder = authority.certificate(tmp_path / "made", **made)

    assert judge(folder) == (False, reason)


def test_a_self_signed_certificate_is_not_good_even_where_this_machine_trusts_it(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = authority.certificate(tmp_path / "own", is_self_signed=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "fullchain.pem"))

    assert judge(folder) == (False, "is self-signed")


def test_an_authority_that_only_somebody_else_knows_is_not_good(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    is_valid, reason = judge(good)

    assert (is_valid, reason) == (False, "leads to no authority that this machine knows")


def test_without_a_name_any_name_will_do(good: Path) -> None:
    assert standing(str(good), time.time(), True).is_valid


def spoil_key(folder: Path, authority: Authority) -> None:
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", folder / "privkey.pem")


def lock_key(folder: Path, authority: Authority) -> None:
    key = folder / "privkey.pem"
    openssl("pkey", "-aes128", "-passout", "pass:x", "-in", key, "-out", folder / "locked")
    os.replace(folder / "locked", key)


SPOILT = {
    "no key": lambda folder, _: (folder / "privkey.pem").unlink(),
    "no chain": lambda folder, _: (folder / "fullchain.pem").unlink(),
    "no folder": lambda folder, _: shutil.rmtree(folder),
    "an empty key": lambda folder, _: (folder / "privkey.pem").write_bytes(b""),
    "no PEM": lambda folder, _: (folder / "fullchain.pem").write_bytes(b"\x00\xff" * 500),
    "half a chain": lambda folder, _: (folder / "fullchain.pem").write_bytes(
        (folder / "fullchain.pem").read_bytes()[:300]
    ),
    "another certificate's key": spoil_key,
    "a key with a password": lock_key,
    "a folder in the key's place": lambda folder, _: (
        (folder / "privkey.pem").unlink(),
        (folder / "privkey.pem").mkdir(),
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_files_that_make_no_certificate_are_said_to_be_none(
    good: Path, authority: Authority, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(good, folder)
    SPOILT[how](folder, authority)

    is_valid, reason = judge(folder)

    assert not is_valid
    assert str(folder) in reason


# --- certbot's arguments, and what is done with its work ------------------------------------------


def test_certbot_is_asked_for_this_name_over_dns_from_this_authority() -> None:
    settings = CertificateSettings(
        name=NAME,
        acme_server="https://acme.example.org/directory",
        acme_dns="rfc2136",
        acme_credentials="/etc/kiezbox/acme-dns.ini",
    )

    assert renewal(settings, "/state") == [
        "certbot", "certonly", "--non-interactive", "--agree-tos",
        "--register-unsafely-without-email",
        "--server", "https://acme.example.org/directory",
        "--authenticator", "dns-rfc2136",
        "--dns-rfc2136-credentials", "/etc/kiezbox/acme-dns.ini",
        "--domain", NAME, "--cert-name", "kiezbox", "--keep-until-expiring",
        "--config-dir", "/state/config", "--work-dir", "/state/work", "--logs-dir", "/state/logs",
    ]  # fmt: skip


def test_the_authority_may_be_told_an_address() -> None:
    argv = renewal(CertificateSettings(name=NAME, acme_dns="rfc2136", acme_email="a@example.org"))

    assert argv[argv.index("--email") + 1] == "a@example.org"
    assert "--register-unsafely-without-email" not in argv


@pytest.mark.parametrize(
    ("settings", "missing"),
    [({"name": NAME}, "acme_dns"), ({"acme_dns": "rfc2136"}, "name"), ({}, "name")],
)
def test_without_a_name_or_a_plugin_there_is_nothing_to_renew(
    settings: dict[str, str], missing: str
) -> None:
    with pytest.raises(NetworkError, match=f"network.certificate.{missing} is empty"):
        renewal(CertificateSettings(**settings))


@pytest.fixture
def state(good: Path, tmp_path: Path) -> Iterator[Path]:
    """As certbot leaves it."""
    live = tmp_path / "state" / "config" / "live" / "kiezbox"
    live.parent.mkdir(parents=True)
    shutil.copytree(good, live)
    yield tmp_path / "state"


def test_what_certbot_has_got_comes_into_the_folder_and_the_key_stays_secret(
    state: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "certificate"

    first, second = install(str(folder), str(state)), install(str(folder), str(state))

    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert (first, second) == (True, False)
    assert modes == {"fullchain.pem": 0o644, "privkey.pem": 0o600}
    assert judge(folder) == (True, "")


def test_without_a_certificate_of_certbots_the_old_one_stays(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "certificate"
    install(str(folder), str(state))
    shutil.rmtree(state / "config" / "live")

    with pytest.raises(NetworkError, match="cannot be brought"):
        install(str(folder), str(state))

    assert judge(folder) == (True, "")
