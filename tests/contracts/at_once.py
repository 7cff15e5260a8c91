"""Tests that mostly wait run beside each other: those of one driver in their order, of several at
once. Each test then only asks how its own body went, and fails as it failed.
"""

from __future__ import annotations

import inspect
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from typing import Any

import pytest
from contracts.haste import impatient
from contracts.rig import Rig

__all__ = ["at_once", "happened"]

#: A body waits nine tenths of its time, so eight of them keep a core busy.
SIDE_BY_SIDE = 8


def at_once(body: Callable[..., None]) -> Callable[..., None]:
    """Decorator, above ``parametrize("driver", …)``: the body's ``rig`` is its own."""
    signature = inspect.signature(body)

    @wraps(body)
    def test(happened: Callable[[pytest.Item], None], request: Any, **_: Any) -> None:
        happened(request.node)

    given = [one for one in signature.parameters.values() if one.name != "rig"]
    ours = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in ("happened", "request")
    ]
    test.__signature__ = signature.replace(parameters=[*given, *ours])  # type: ignore[attr-defined]
    test.body = body  # type: ignore[attr-defined]
    return test


@pytest.fixture(scope="module")
def happened(request: pytest.FixtureRequest) -> Iterator[Callable[[pytest.Item], None]]:
    """``happened(item)`` returns when the item's body has, or raises what it raised."""
    lanes: defaultdict[str, list[tuple[Any, Future[None]]]] = defaultdict(list)
    futures: dict[pytest.Item, Future[None]] = {}
    for item in request.session.items:
        if getattr(item, "module", None) is request.module and hasattr(item.obj, "body"):
            futures[item] = Future()
            lanes[item.callspec.params["driver"]].append((item, futures[item]))
    with pytest.MonkeyPatch.context() as patch:
        impatient(patch)
        pool = ThreadPoolExecutor(SIDE_BY_SIDE, "contracts")
        for lane in lanes.values():
            pool.submit(_run, lane)
        yield lambda item: futures[item].result()
        for future in futures.values():
            future.cancel()  # after -x, nobody asks any more
        pool.shutdown()


def _run(lane: list[tuple[Any, Future[None]]]) -> None:
    for item, future in lane:
        if not future.set_running_or_notify_cancel():
            continue
        try:
            with tempfile.TemporaryDirectory() as folder, Rig(folder) as rig:
                item.obj.body(**item.callspec.params, rig=rig)
        except BaseException as error:  # also pytest.fail's
            future.set_exception(error)
        else:
            future.set_result(None)
