"""A street in an outage: a bed, the box in posture emergency, its portal, and two guests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from beds.netns.bed import Bed
from beds.netns.box import MESH, Box


@dataclass(frozen=True)
class Street:
    bed: Bed
    box: Box
    #: What each guest was told with its lease.
    told: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with Bed(tmp_path_factory.mktemp("street")) as bed:
        box = Box(bed, MESH)
        box.apply("emergency")
        box.serve()
        yield Street(bed, box, {guest: bed.lease(guest) for guest in bed.guests})


@pytest.fixture
def empty_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with Bed(tmp_path_factory.mktemp("bed")) as bed:
        yield bed
