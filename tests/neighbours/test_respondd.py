"""respondd's words: what is asked, what is said, and by whom it can be understood.

The wire format is that of freifunk-gluon/packages (net/respondd, README.md and src/respondd.c);
the fields are those that yanic reads (FreifunkBremen/yanic, data/nodeinfo.go, data/statistics.go,
data/neighbours.go) and that real nodes sent (shared/data/mesh).
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import shared_data

from kiezbox.neighbours import babel
from kiezbox.neighbours.respondd import Limit, answer, neighbour, unpack

FACTS: dict[str, Any] = {
    "id": "kb-musterplatz-1", "name": "Späti", "version": "0.1.0", "place": [52.49, 13.35],
    "mac": "02:43:cd:96:e9:70", "mesh": "kb-mesh", "port": "wlan1", "kind": "80211s",
    "routing": "plain", "address": "10.43.85.143", "broker_port": 1883, "uplink": "",
    "has_uplink": True, "answers_uplink": False, "shares_uplink": True, "facts": "/nowhere",
}  # fmt: skip

#: yanic's structs: field → Go's kind. What is not in here would be thrown away unread.
NUMBER = (int, float)
YANIC: dict[str, Any] = {
    "nodeinfo": {
        "node_id": str, "hostname": str, "vpn": bool,
        "network": {"mac": str, "addresses": list, "mesh": dict, "mesh_interfaces": list},
        "location": {"latitude": NUMBER, "longitude": NUMBER, "altitude": NUMBER},
        "software": {
            "autoupdater": {"enabled": bool, "branch": str},
            "batman-adv": {"version": str, "compat": int},
            "firmware": {"base": str, "release": str},
        },
        "hardware": {"nproc": int, "model": str},
    },
    "statistics": {
        "node_id": str, "rootfs_usage": NUMBER, "loadavg": NUMBER, "uptime": NUMBER,
        "idletime": NUMBER,
        "clients": {"wifi": int, "wifi24": int, "wifi5": int, "total": int},
        "memory": {"cached": int, "total": int, "buffers": int, "free": int, "available": int},
        "processes": {"total": int, "running": int},
        "traffic": {"tx": {"bytes": NUMBER, "packets": NUMBER},
                    "rx": {"bytes": NUMBER, "packets": NUMBER}},
    },
    "neighbours": {"node_id": str, "babel": dict},
}  # fmt: skip


def asked(request: bytes, uplink: str = "none", **facts: Any) -> Any:
    """The answer as a map's collector reads it: raw deflate after GET, else plain."""
    said = answer(request, FACTS | facts, uplink)
    if said is None:
        return None
    return json.loads(zlib.decompress(said, -15) if request.startswith(b"GET ") else said)


def fits(said: Any, form: Any, where: str = "") -> None:
    if isinstance(form, dict):
        unknown = set(said) - set(form)
        assert not unknown, f"{where}: yanic knows no {unknown}"
        for name, value in said.items():
            fits(value, form[name], f"{where}.{name}")
    else:
        kinds = form if isinstance(form, tuple) else (form,)
        assert type(said) in kinds, f"{where}: {said!r} is no {kinds}"


# --- what is said ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(YANIC))
def test_a_map_understands_every_field(name: str) -> None:
    fits(asked(b"GET " + name.encode())[name], YANIC[name], name)


@pytest.mark.parametrize("name", ["nodeinfo", "statistics"])
def test_what_a_real_node_says_we_say_in_the_same_kinds(name: str) -> None:
    real = json.loads(shared_data(f"mesh/yanic_{name}.json").read_text(encoding="utf-8"))

    def same(ours: Any, theirs: Any, where: str) -> None:
        if isinstance(theirs, dict):
            for field in ours.keys() & theirs.keys():
                same(ours[field], theirs[field], f"{where}.{field}")
        elif isinstance(theirs, (int, float)) and not isinstance(theirs, bool):
            assert type(ours) in NUMBER, where
        else:
            assert type(ours) is type(theirs), where

    same(asked(name.encode()), real, name)


def test_every_answer_can_be_related_to_its_box() -> None:
    """Gluon, docs/features/monitoring: every category has a node_id, the same in all."""
    said = asked(b"GET nodeinfo statistics neighbours")

    assert {each["node_id"] for each in said.values()} == {"0243cd96e970"}


def test_a_box_without_a_place_is_on_no_map_and_nobody_is_its_owner() -> None:
    said = asked(b"nodeinfo", place=None)

    assert "location" not in said and "owner" not in said


def test_only_a_shared_uplink_of_its_own_is_told() -> None:
    told = {
        (uplink, shares): asked(b"kiezbox", uplink, shares_uplink=shares)["has_uplink"]
        for uplink in ("own", "mesh", "none")
        for shares in (True, False)
    }

    assert [case for case, is_told in told.items() if is_told] == [("own", True)]


def test_guests_are_those_that_the_node_counts(tmp_path: Path) -> None:
    now = tmp_path / "now.json"
    now.write_text('{"network": {"guests": 17}}')

    assert asked(b"statistics", facts=str(now))["clients"]["total"] == 17
    now.write_text('{"network": null}')
    assert asked(b"statistics", facts=str(now))["clients"]["total"] == 0


# --- how it is asked ---------------------------------------------------------------------------


def test_several_names_get_one_answer_and_unknown_ones_nothing() -> None:
    assert set(asked(b"GET nodeinfo statistics nonsense")) == {"nodeinfo", "statistics"}
    assert asked(b"GET nonsense") == {}


def test_a_single_word_is_answered_plainly_as_old_collectors_want() -> None:
    assert asked(b"nodeinfo")["hostname"] == "Späti"


@pytest.mark.parametrize(
    "request_",
    [b"", b"get nodeinfo", b"nonsense", b"nodeinfo ", b"GET", b"\xff" * 40, b"GET " + b"a" * 252],
)
def test_what_is_no_request_gets_no_answer(request_: bytes) -> None:
    assert asked(request_) is None


def test_a_c_string_ends_at_its_zero() -> None:
    """Gluon's respondd handles requests as C strings; some collectors send the zero."""
    assert set(asked(b"GET nodeinfo\0 statistics")) == {"nodeinfo"}


@given(request_=st.binary(max_size=300))
def test_no_bytes_raise(request_: bytes) -> None:
    answer(request_, FACTS, "none")


# --- what others say ---------------------------------------------------------------------------


def packed(what: object) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(json.dumps(what).encode()) + packer.flush()


def test_a_box_understands_a_box() -> None:
    said = answer(b"GET kiezbox", FACTS, "own")
    assert said is not None

    heard = neighbour(unpack(said), "fe80::1")

    assert heard == {
        "id": "kb-musterplatz-1", "name": "Späti", "version": "0.1.0", "address": "10.43.85.143",
        "link_local": "fe80::1", "has_uplink": True, "broker_port": 1883,
    }  # fmt: skip


def test_a_freifunk_node_is_no_box() -> None:
    """Gluon answers a name that it does not know with an empty object."""
    assert neighbour(unpack(packed({})), "fe80::1") is None


def test_a_real_nodes_answer_is_read_and_passed_over() -> None:
    real = json.loads(shared_data("mesh/yanic_nodeinfo.json").read_text(encoding="utf-8"))

    said = unpack(packed({"nodeinfo": real}))

    assert said is not None and said["nodeinfo"]["hostname"] == "foo-bar"
    assert neighbour(said, "fe80::1") is None


@pytest.mark.parametrize(
    "about",
    [
        None,
        3,
        [],
        {},
        {"id": ""},
        {"id": 3},
        {"id": "../../etc"},
        {"id": "a" * 64},
        {"id": "kb\n1"},
        {"id": "ä"},
    ],
)
def test_nonsense_about_a_box_is_no_box(about: object) -> None:
    assert neighbour(unpack(packed({"kiezbox": about})), "fe80::1") is None


def test_half_nonsense_is_left_out() -> None:
    about = {"id": "kb-1", "name": "a\nb", "version": "1 2", "address": "10.43.0.1; reboot",
             "has_uplink": "yes", "broker_port": True}  # fmt: skip

    assert neighbour({"kiezbox": about}, "fe80::1") == {
        "id": "kb-1", "name": "kb-1", "version": "", "address": "", "link_local": "fe80::1",
        "has_uplink": False, "broker_port": 0,
    }  # fmt: skip


@pytest.mark.parametrize("port", [0, -1, 65536, 1.5, "1883", None])
def test_a_port_is_a_port(port: object) -> None:
    heard = neighbour({"kiezbox": {"id": "kb-1", "broker_port": port}}, "fe80::1")

    assert heard is not None and heard["broker_port"] == 0


def test_a_bomb_is_not_unpacked() -> None:
    """A megabyte of spaces is one kilobyte of deflate."""
    assert unpack(packed(" " * (1 << 20))) is None


def test_depth_is_no_danger() -> None:
    packer = zlib.compressobj(wbits=-15)
    deep = packer.compress(b"[" * 60000) + packer.flush()

    assert unpack(deep) is None


@given(data=st.binary(max_size=600))
def test_no_answer_raises(data: bytes) -> None:
    neighbour(unpack(data), "fe80::1")


@given(
    about=st.dictionaries(
        st.sampled_from(["id", "name", "version", "address", "has_uplink", "broker_port"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    )
)
def test_whatever_a_box_says_is_a_box_or_nothing(about: dict[str, Any]) -> None:
    heard = neighbour({"kiezbox": about}, "fe80::1")

    if heard is not None:
        assert heard["id"].isascii() and len(heard["id"]) <= 63
        assert heard["name"].isprintable() and len(heard["name"]) <= 80
        assert 0 <= heard["broker_port"] < 65536


# --- how often ---------------------------------------------------------------------------------


def test_a_sender_is_answered_so_often_and_another_one_all_the_same() -> None:
    limit = Limit(5, 20)

    answered = sum(limit.allows("fe80::bad", 100 + second / 1000) for second in range(1000))

    assert answered in (24, 25)  # 20 at once, and 5 in the second
    assert limit.allows("fe80::900d", 101.0)


def test_a_million_senders_take_no_memory() -> None:
    limit = Limit(5, 20)

    for number in range(100_000):
        limit.allows(f"fe80::{number:x}", 0.0)

    assert len(limit._buckets) <= 1024


# --- babeld ------------------------------------------------------------------------------------


def test_babelds_neighbours_are_read() -> None:
    """What babeld 1.12.1 answered to ``dump`` in a bed."""
    dump = (
        "BABEL 1.0\nversion babeld-1.12.1\nhost bed\nmy-id 04:ab:00:00:00:00:00:01\nok\n"
        "add interface kb-mesh up true ipv6 fe80::1 ipv4 10.43.1.2\n"
        "add neighbour 5576ca453 address fe80::2017:92ff:fe53:b08f if kb-mesh reach f000 ureach"
        " 0000 rxcost 96 txcost 96 cost 96\n"
        "add xroute 10.43.1.2/32-::/0 prefix 10.43.1.2/32 from ::/0 metric 0\nok\n"
    )

    assert babel.neighbours(dump) == [
        {"address": "fe80::2017:92ff:fe53:b08f", "if": "kb-mesh", "reach": "f000", "ureach": "0000",
         "rxcost": "96", "txcost": "96", "cost": "96"}
    ]  # fmt: skip


@pytest.mark.parametrize("dump", ["", "add neighbour", "add neighbour 1 address", "\0\n\nok"])
def test_half_an_answer_of_babeld_is_no_neighbour(dump: str) -> None:
    assert babel.neighbours(dump) == []
