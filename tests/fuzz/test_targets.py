"""The small twin of `make fuzz`: every target, some thousand inputs, and hypothesis."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parent


def _run() -> ModuleType:
    # By path: there are other modules called "run".
    spec = importlib.util.spec_from_file_location("kiezbox_fuzz_run", HERE / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


run = _run()
TARGETS = run.names()


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_stands_two_thousand_spoilt_inputs(name: str) -> None:
    target = run.load(name)

    done, _ = run.fuzz(target, 2000 // getattr(target, "SLOW", 1))

    assert done > 0


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=300))
@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
def test_a_parser_stands_any_bytes(name: str, data: bytes) -> None:
    run.load(name).one(data)


def test_a_target_that_crashes_is_found_and_its_bytes_are_told() -> None:
    def one(data: bytes) -> None:
        assert b"\xff" not in data

    with pytest.raises(run.Defect, match="fromhex") as raised:
        run.fuzz(SimpleNamespace(one=one, SEEDS=[b"abc"]), 10_000)

    assert isinstance(raised.value.__cause__, AssertionError)


def test_a_target_that_hangs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LIMIT_S", 0.05)

    def one(data: bytes) -> None:
        while data:
            pass

    with pytest.raises(run.Defect) as raised:
        run.fuzz(SimpleNamespace(one=one, SEEDS=[b"abc"]), 10)

    assert isinstance(raised.value.__cause__, run.TookTooLong)


def test_the_same_seed_gives_the_same_inputs() -> None:
    seeds = [b"abc", b"\xaa\xab" * 8]

    assert list(run.inputs(seeds, 500, 7)) == list(run.inputs(seeds, 500, 7))
    assert list(run.inputs(seeds, 500, 7)) != list(run.inputs(seeds, 500, 8))
