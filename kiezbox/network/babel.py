"""babeld (RFC 8966): the way to a shared uplink, and the routes where batman-adv is missing.

A default route learned from the mesh goes behind all others (``PRIORITY``): a box with an uplink
never sends through another one, and one without has to do nothing when the mesh's comes and
goes. Packets are signed (RFC 8967) with the mesh's key, so
that on a wire, which has no SAE, nobody can announce himself as the way to the world.

Source: babeld(8), 1.12 (Debian 12) and 1.13 (Debian 13; what is used here did not change).
"""

from __future__ import annotations

from kiezbox.neighbours.babel import PORT

__all__ = ["PRIORITY", "conf"]

#: Metric of the mesh's routes in the kernel. Smaller ones go first: DHCP clients and router
#: advertisements leave 0 to 1024. NetworkManager adds 20000 to an uplink on which it cannot reach
#: the world, and then the mesh's way is the better one indeed. (Not a table of its own: babeld 1.12
#: has one byte for its number, and puts what is meant for 1043 into 19 without a word.)
PRIORITY = 4096

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
        f"kernel-priority {PRIORITY}",
        f"key id mesh type hmac-sha256 value {key}",
        # Hellos each second, as often as batman-adv's; all routes each 4 s: what is told while two
        # boxes still prove their key to each other is lost, and with 16 s it took as long until a
        # box knew of the other's uplink. 120 bytes each, 0.1 % of a slow radio's time.
        # Where babeld routes, not all hear all: what was heard here must be told here, too.
        f"interface {interface} type {'wireless' if is_radio else 'wired'}"
        f" split-horizon {'false' if own else 'true'}"
        " hello-interval 1 update-interval 4 key mesh",
        *(f"redistribute local ip {address} allow" for address in own),
        *(_offers(uplink) if offers_uplink else ()),
        "redistribute local deny",
        "redistribute deny",
        # Single boxes and the way out; whoever announces more is wrongly set up.
        *(f"in ip {network} allow" for network in boxes),
        *(f"in ip {default} eq 0 allow" for default in _DEFAULTS),
        "in deny",
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
