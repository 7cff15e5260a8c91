"""babeld (RFC 8966): the way to a shared uplink, and the routes where batman-adv is missing.

A default route learned from the mesh goes into a table of its own, behind the box's own routes
(`mesh.RULE`): a box with an uplink never sends through another one, and one without has to do
nothing when the mesh's comes and goes. Packets are signed (RFC 8967) with the mesh's key, so
that on a wire, which has no SAE, nobody can announce himself as the way to the world.

Source: babeld(8), 1.12 (Debian 12) and 1.13 (Debian 13; what is used here did not change).
"""

from __future__ import annotations

from kiezbox.neighbours.babel import PORT, TABLE

__all__ = ["conf"]

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
