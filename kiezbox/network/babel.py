"""babeld (RFC 8966): the way to a shared uplink, and the routes where batman-adv is missing.

A default route learned from the mesh goes into a table of its own, behind the box's own routes
(`mesh.RULE`): a box with an uplink never sends through another one, and one without has to do
nothing when the mesh's comes and goes. Packets are signed (RFC 8967) with the mesh's key, so
that on a wire, which has no SAE, nobody can announce himself as the way to the world.

Source: babeld(8), 1.12 (Debian 12) and 1.13 (Debian 13; what is used here did not change).
"""

from __future__ import annotations

__all__ = ["PORT", "TABLE", "conf", "neighbours"]

#: Default routes through other boxes. Below 256: babeld 1.12 has one byte for it, and puts what is
#: meant for table 1043 into table 19 without a word.
TABLE = 43

#: Where babeld tells its neighbours: TCP on ::1, for reading only. Not a Unix socket, which a
#: babeld that was killed leaves behind and the next one refuses to replace.
PORT = 33123

#: rtnetlink(7), RTPROT_BOOT: what `ip route add` and simple DHCP clients leave; babeld overlooks
#: those unless they are named.
_PROTO_BOOT = 3

#: Every default route, in both families.
_DEFAULTS = ("0.0.0.0/0", "::/0")


def conf(
    interface: str,
    *,
    key: str,
    is_radio: bool,
    offers_uplink: bool,
    uplink: str = "",
    own: tuple[str, ...] = (),
    boxes: tuple[str, ...] = (),
) -> str:
    """babeld.conf. ``key``: 32 bytes in hexadecimal. ``uplink``: the only interface whose default
    route is offered; "": any. ``own``: this box's addresses, where babeld is what routes them;
    ``boxes``: the networks in which the others' then are.
    """
    lines = [
        # Forwarding, redirects and reverse paths are the firewall's and the posture's business:
        # babeld would switch forwarding on for the whole machine, and IPv6 clients then stop
        # listening to their router.
        "skip-kernel-setup true",
        f"local-port {PORT}",
        f"key id mesh type hmac-sha256 value {key}",
        # Hellos each 2 s, on a wire as on the air (it would be 4 s): a box that is switched off is
        # noticed after two or three.
        f"interface {interface} type {'wireless' if is_radio else 'wired'}"
        " hello-interval 2 update-interval 16 key mesh",
        *(f"redistribute local ip {address} allow" for address in own),
        *(_offers(uplink) if offers_uplink else ()),
        "redistribute local deny",
        "redistribute deny",
        # Single boxes and the way out; whoever announces more is wrongly set up.
        *(f"in ip {network} allow" for network in boxes),
        *(f"in ip {default} eq 0 allow" for default in _DEFAULTS),
        "in deny",
        *(f"install ip {default} eq 0 table {TABLE}" for default in _DEFAULTS),
    ]
    return "\n".join(lines) + "\n"


def _offers(uplink: str) -> list[str]:
    """Offer the kernel's default routes, whoever made them."""
    where = f" if {uplink}" if uplink else ""
    return [
        f"redistribute ip {default} eq 0{proto}{where} metric 128"
        for default in _DEFAULTS
        for proto in ("", f" proto {_PROTO_BOOT}")
    ]


def neighbours(dump: str) -> list[dict[str, str]]:
    """The neighbours in babeld's answer to ``dump``: its words as they stand.

    A line is ``add neighbour ID address ADDRESS if IFACE reach HEX ureach HEX rxcost N txcost N
    cost N``. Lines of other form are passed over.
    """
    found = []
    for line in dump.splitlines():
        words = line.split()
        if words[:2] == ["add", "neighbour"] and len(words) % 2 == 1:
            found.append(dict(zip(words[3::2], words[4::2], strict=True)))
    return found
