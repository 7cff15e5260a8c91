"""The map: an SVG that any XML reader reads, small, and with a number for everything it shows."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import shared_data

from kiezbox.cli._osm_files import bounds_of, read_osm
from kiezbox.place.building import built
from kiezbox.place.drawing import SIZE, STYLE, Drawing, drawn, kinds_at
from kiezbox.place.invented import LATITUDE, LONGITUDE, invented
from kiezbox.place.points import Line, LineKind, Package, Point
from kiezbox.place.shapes import (
    clip_area,
    clip_line,
    joined_rings,
    pack_corners,
    simplified,
    unpack_corners,
)

#: Degrees times 100,000.
corners = st.lists(
    st.tuples(st.integers(-9_000_000, 9_000_000), st.integers(-18_000_000, 18_000_000)), max_size=30
)
units = st.lists(st.tuples(st.floats(-500, 1500), st.floats(-500, 1500)), min_size=2, max_size=12)
BOX = (0.0, 0.0, 600.0, 600.0)


def map_of(package: Package, latitude: float, longitude: float, reach_m: float) -> Drawing:
    kinds = kinds_at(reach_m)
    return drawn(
        [line for line in package.lines if line.kind in kinds],
        package.points[:24],
        latitude=latitude,
        longitude=longitude,
        reach_m=reach_m,
        title="Karte",
        description="Straßen & <Wasser>",
        north="N",
    )


def invented_map(reach_m: float = 500) -> Drawing:
    return map_of(invented(1), LATITUDE, LONGITUDE, reach_m)


# --- shapes --------------------------------------------------------------------------------------


@given(corners)
def test_corners_are_unpacked_as_they_were_packed(given: list[tuple[int, int]]) -> None:
    assert unpack_corners(pack_corners(given)) == given


@given(st.binary(max_size=60))
def test_damaged_corners_are_corners_or_nothing(data: bytes) -> None:
    assert all(len(corner) == 2 for corner in unpack_corners(data))


@given(units)
def test_what_is_cut_lies_inside(line: list[tuple[float, float]]) -> None:
    for piece in [*clip_line(line, BOX), clip_area([*line, line[0]], BOX)]:
        for x, y in piece:
            assert -0.001 <= x <= 600.001 and -0.001 <= y <= 600.001


@given(units, st.floats(0.1, 50))
def test_a_simpler_line_has_the_same_ends_and_no_new_corner(
    line: list[tuple[float, float]], most: float
) -> None:
    found = simplified(line, most)

    assert (found[0], found[-1]) == (line[0], line[-1])
    assert set(found) <= set(line)


def test_ways_close_to_a_ring_whichever_way_they_run() -> None:
    ring = joined_rings(
        [[(0, 0), (0, 1)], [(1, 1), (0, 1)], [(1, 1), (1, 0), (0, 0)], [(5, 5), (6, 6)]]
    )

    assert len(ring) == 1
    assert set(ring[0]) == {(0, 0), (0, 1), (1, 1), (1, 0)}


# --- the drawing ---------------------------------------------------------------------------------


def test_the_map_is_one_picture_with_a_title_and_a_description() -> None:
    page = html5lib.parse(invented_map().svg, namespaceHTMLElements=False)

    svg = page.find(".//{http://www.w3.org/2000/svg}svg")
    if svg is None:
        svg = next(each for each in page.iter() if str(each.tag).endswith("svg"))
    assert svg.get("role") == "img"
    named = svg.get("aria-labelledby").split()
    texts = {each.get("id"): each.text for each in svg.iter() if each.get("id")}
    assert [texts[name] for name in named] == ["Karte", "Straßen & <Wasser>"]


def test_each_number_on_the_map_stands_for_points_and_each_point_has_one_number() -> None:
    found = invented_map()

    numbers = [int(n) for n in re.findall(r"<g class=k>.*?>(\d+)</text></g>", found.svg)]
    ids = [point.id for group in found.numbered for point in group]
    assert numbers == list(range(1, len(found.numbered) + 1))
    assert len(ids) == len(set(ids)) > 10


def test_numbers_do_not_cover_one_another() -> None:
    places = re.findall(r"<circle cx=(\d+) cy=(\d+) r=17 />", invented_map().svg)
    spots = [(int(x), int(y)) for x, y in places]

    for n, (x, y) in enumerate(spots):
        for a, b in spots[:n]:
            assert (x - a) ** 2 + (y - b) ** 2 >= 26**2


def test_a_name_with_markup_in_it_is_text() -> None:
    street = Line(LineKind.STREET, '<script>"&', [(5116300, 1044300), (5116300, 1045300)], "x")

    svg = drawn([street], [], latitude=LATITUDE, longitude=LONGITUDE, reach_m=500, title="t",
                description="d", north="N").svg  # fmt: skip

    assert "<script" not in svg
    assert "&lt;script&gt;&quot;&amp;" in svg


@pytest.mark.parametrize("reach_m", [250, 500, 1000, 2000, 4000])
def test_the_map_of_the_invented_kiez_stays_light(reach_m: float) -> None:
    assert len(gzip.compress((STYLE + invented_map(reach_m).svg).encode())) < 5_000


def test_the_map_of_a_dense_real_quarter_stays_within_25_kb() -> None:
    pytest.importorskip("osmium", reason="pyosmium is not installed: place-build")
    path = str(shared_data("osm/berlin-kochstrasse-2022.osm.pbf"))
    bounds = bounds_of(path)
    assert bounds is not None

    package = built("X", bounds, read_osm(path))
    for reach_m in (250, 500, 900):
        found = map_of(package, *bounds.middle, reach_m)

        assert len(gzip.compress((STYLE + found.svg).encode())) < 9_000
        assert found.svg.count("<text") > 4


def test_a_city_full_of_streets_is_drawn_coarser_and_stays_within_25_kb() -> None:
    # 6,000 crooked streets, twice as many as a dense city has within two kilometres.
    def street(n: int) -> Line:
        south, west = 5114500 + (n * 7919) % 3600, 1041900 + (n * 104729) % 5800
        bends = [(south + 9 * k, west + 13 * ((k * n) % 7)) for k in range(9)]
        return Line(LineKind.STREET, f"Weg {n}", bends, "x")

    svg = drawn([street(n) for n in range(6_000)], [], latitude=LATITUDE, longitude=LONGITUDE,
                reach_m=2000, title="t", description="d", north="N").svg  # fmt: skip

    assert len(gzip.compress((STYLE + svg).encode())) < 24_000


def test_the_style_names_no_colour_of_light_or_dark_that_the_page_does_not_have() -> None:
    # See-through colours and the page's own: right by day, by night and on paper.
    own = set(re.findall(r"#[0-9a-f]+", STYLE))

    assert own == {"#4a9a3c4d", "#3b86cc80", "#d81b60"}
    assert "prefers-color-scheme" not in STYLE


@given(
    st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), max_size=40),
    st.sampled_from([250, 500, 4000]),
)
def test_wherever_points_are_they_stay_on_the_paper(
    places: list[tuple[float, float]], reach_m: int
) -> None:
    points = [Point(f"p{n}", "well", "", LATITUDE + a, LONGITUDE + b)
              for n, (a, b) in enumerate(places)]  # fmt: skip

    svg = drawn([], points, latitude=LATITUDE, longitude=LONGITUDE, reach_m=reach_m, title="t",
                description="d", north="N").svg  # fmt: skip

    for x, y in re.findall(r"<circle cx=(\d+) cy=(\d+) r=17 />", svg):
        assert 17 <= int(x) <= SIZE - 17 and 17 <= int(y) <= SIZE - 17


def test_an_svg_file_of_it_is_well_formed(tmp_path: Path) -> None:
    # The page is HTML, which needs no quotes; whoever keeps the picture alone gets XML.
    quoted = re.sub(r"=([\w.-]+)(?=[ />])", r'="\1"', invented_map().svg)

    ElementTree.fromstring(quoted.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
