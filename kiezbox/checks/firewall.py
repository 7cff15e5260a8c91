"""Whether nftables works here: without it guests reach everything on the box."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import output_of

#: What our rules are made of: a table for both families, a hook, a set that counts per address.
_PROBE = """table inet kiezbox_probe {
  set seen {
    type ipv4_addr
    flags dynamic
    size 8
  }
  chain probe {
    type filter hook input priority filter
    policy accept
    ip saddr @seen counter reject with tcp reset
  }
}
"""


def run(box: Examined) -> Iterator[Finding]:
    network = box.settings.network
    if network.access_point.kind == "none":
        return
    if os.geteuid() != 0:
        yield Finding(
            Level.NOTE, "only root can see whether the firewall works", "sudo kiezbox check"
        )
        return
    prepared = box.root / network.run_dir.lstrip("/") / "emergency" / "ruleset.nft"
    # --check asks the kernel about every word and changes nothing (nft(8)).
    if prepared.exists():
        code, said = output_of(["nft", "--check", "--file", str(prepared)])
    else:
        code, said = output_of(["nft", "--check", "--file", "-"], stdin=_PROBE)
    if code == 0:
        yield Finding(Level.FINE, "the kernel takes the firewall's rules")
    elif code == -1:
        yield Finding(Level.BROKEN, "nft is not installed", "apt install nftables")
    else:
        first = said.partition("\n")[0]
        yield Finding(
            Level.BROKEN,
            f"the kernel does not take the firewall's rules: {first}",
            "Is this a kernel of Raspberry Pi OS or Debian, with nf_tables?",
        )
