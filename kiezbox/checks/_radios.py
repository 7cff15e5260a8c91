"""What is known of WLAN adapters, by their driver: how many guests, and whether they can mesh.

From drivers' sources and from people who counted; docs/hardware.md has the addresses. A driver that
is not here is not known to be worse than the standard's 2007.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Known(NamedTuple):
    """``guests``: most at once, in words ("7 to 10"); ``most``: the same as a number, the worst of
    it; None: only hostapd's own limit."""

    guests: str
    most: int | None
    can_mesh: bool
    #: What people call it.
    chip: str


RADIOS: dict[str, Known] = {
    # raspberrypi/documentation#2520, raspberrypi/linux#3010, iiab/iiab#823.
    "brcmfmac": Known("7 to 10", 7, False, "the Raspberry Pi's own chip"),
    # Linux, ath9k/htc.h: ATH9K_HTC_MAX_STA 8, one of them for itself;
    # qca/open-ath9k-htc-firmware#43: the firmware's memory is full then.
    "ath9k_htc": Known("7", 7, True, "AR9271, AR7010"),
    # Linux, mt76x02.h: MT76x02_N_WCIDS 128, interfaces included.
    "mt76x2u": Known("up to 100", 100, True, "MT7612U"),
    "mt76x0u": Known("up to 100", 100, True, "MT7610U"),
    # Linux, mt792x.h: MT792x_WTBL_STA, 20 less 1 less 4; morrownr/USB-WiFi#369, #576.
    # openwrt/mt76#653: "MT7921 does not support mesh mode".
    "mt7921u": Known("15", 15, False, "MT7921AU"),
    # morrownr/USB-WiFi#44: more than 20 were seen; #234 on mesh.
    "rt2800usb": Known("20 and more", 20, True, "RT5370, RT5372, RT3070"),
    # morrownr/mt76#50: 31 of 33 got in, counted.
    "rtw_8812au": Known("31", 31, False, "RTL8812AU"),
    "rtw88_8812au": Known("31", 31, False, "RTL8812AU"),
    "rtw88_8822bu": Known("about 30", 30, False, "RTL8812BU, RTL8822BU"),
    "rtw88_8821cu": Known("about 30", 30, False, "RTL8811CU, RTL8821CU"),
    "rtw88_8821au": Known("about 30", 30, False, "RTL8811AU, RTL8821AU"),
    # Linux, rtl8xxxu: max_sta_num = 16 for the RTL8188F; others cannot be access points.
    "rtl8xxxu": Known("16", 16, False, "RTL8188FU and others"),
}

#: The other firmware for the Pi's 43455 (3B+, 4, 5): less of all else, more guests.
MINIMAL = Known("19", 19, False, "the Raspberry Pi's own chip with the minimal firmware")

#: What somebody who needs a second adapter is told.
MESH_ADAPTERS = "MT7612U, MT7610U (mt76), RT5370, RT5372 (rt2800usb) or AR9271 (ath9k_htc)"


def known(root: Path, driver: str) -> Known | None:
    """Raspberry Pi OS switches firmwares by ``update-alternatives``: a link whose name tells."""
    if driver == "brcmfmac":
        link = root / "etc/alternatives/cyfmac43455-sdio.bin"
        if link.is_symlink() and "minimal" in os.readlink(link):
            return MINIMAL
    return RADIOS.get(driver)
