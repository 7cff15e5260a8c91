"""Real clients on the street, led to the portal: NetworkManager and Chromium."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator

import pytest
from beds.netns.bed import Bed, wait_for
from beds.netns.box import ALIAS, fetch
from beds.netns.conftest import Street
from portal.chromium import Chromium

pytestmark = pytest.mark.bed

NETWORK_MANAGER = """
[main]
plugins=keyfile
dhcp=internal
rc-manager=file
auth-polkit=false
no-auto-default=*

[connectivity]
uri=http://nmcheck.gnome.org/check_network_status.txt
"""
#: NetworkManager takes udev's word for which devices are ready, unless it cannot write /sys, and
#: replaces /etc/resolv.conf, which cannot be done with a mount.
AS_ON_A_LAPTOP = 'umount /etc/resolv.conf; mount -o remount,ro /sys && exec "$0" "$@"'


class Laptop:
    """A guest whose network NetworkManager looks after."""

    def __init__(self, bed: Bed, guest: str) -> None:
        self.bed, self.guest = bed, guest
        # As after a start: NetworkManager leaves alone what it finds set up.
        bed.run(guest, "ip address flush dev wlan0")
        bed.run(guest, "ip link set wlan0 down")
        bed.path("/run/dbus").mkdir()
        bed.path("/run/nm").mkdir()
        bed.path("/run/nm/nm.conf").write_text(NETWORK_MANAGER)
        bus = bed.start(guest, ["dbus-daemon", "--system", "--nofork", "--nopidfile"])
        wait_for(
            lambda: bed.path("/run/dbus/system_bus_socket").exists() or not bus.is_running, "dbus"
        )
        folders = ["--config-dir=/run/nm/a", "--system-config-dir=/run/nm/b"]
        self.manager = bed.start(
            guest,
            ["unshare", "--mount", "sh", "-c", AS_ON_A_LAPTOP, "NetworkManager", "--no-daemon",
             "--config=/run/nm/nm.conf", *folders, "--intern-config=/run/nm/intern",
             "--state-file=/run/nm/state"],
        )  # fmt: skip
        wait_for(lambda: "wlan0:ethernet:disconnected" in self.ask("-t", "device"), "a device")

    def ask(self, *words: str) -> str:
        return self.bed.run(self.guest, ["nmcli", *words], is_checked=False).stdout.strip()

    def join(self) -> None:
        self.ask("connection", "add", "type", "ethernet", "ifname", "wlan0", "con-name", "street")
        self.ask("connection", "up", "street")


@pytest.fixture
def laptop(street: Street) -> Iterator[Laptop]:
    if not shutil.which("NetworkManager", path="/usr/sbin:/sbin") or not shutil.which("nmcli"):
        pytest.skip("skipped, because NetworkManager is not here: apt install network-manager")
    found = Laptop(street.bed, "bora")
    yield found
    found.manager.end()


def test_networkmanager_says_portal_and_after_staying_full(laptop: Laptop) -> None:
    laptop.join()
    wait_for(lambda: laptop.ask("networking", "connectivity", "check") == "portal", "PORTAL")
    page = fetch(laptop.bed, laptop.guest, f"http://{ALIAS}/").stdout
    token = re.search(r'name="?token"? value="?([0-9a-f]+)', page)
    assert token and "/stay" in page, page

    url = f"http://{ALIAS}/stay"
    answer = fetch(laptop.bed, laptop.guest, url, "-d", f"token={token[1]}").stdout

    assert answer.startswith("HTTP/1.1 303 ")
    assert laptop.ask("networking", "connectivity", "check") == "full"


@pytest.fixture(scope="module")
def browser(street: Street) -> Iterator[Chromium]:
    with Chromium(street.bed.words("anna", [])) as found:
        yield found


def shown(browser: Chromium) -> tuple[str, str]:
    """Where the browser is, and the page's text."""
    answer = browser.ask(
        "Runtime.evaluate", expression="location.href + '\\n' + document.body.innerText"
    )
    where, _, text = answer["result"]["value"].partition("\n")
    return where, text


@pytest.mark.browser
def test_chromium_is_led_to_the_portal_from_any_page(browser: Chromium) -> None:
    browser.open("http://neverssl.com/", 360)

    where, text = shown(browser)
    assert where == f"http://{ALIAS}/"
    assert "112" in text


@pytest.mark.browser
def test_chromium_sees_at_once_that_https_does_not_work(browser: Chromium) -> None:
    """And no certificate that is not the site's."""
    begun = time.monotonic()

    answer = browser.ask("Page.navigate", url="https://www.tagesschau.de/")

    assert answer["errorText"] == "net::ERR_CONNECTION_REFUSED"
    assert time.monotonic() - begun < 2
