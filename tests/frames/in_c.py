"""The decoders in C that were written from docs/frames.md alone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

__all__ = ["decoder"]

HERE = Path(__file__).resolve().parent


def decoder(
    folder: Path, name: str, header: str, tables: str, *arguments: str
) -> Callable[[list[bytes]], list[str]]:
    """``NAME_decoder.c``, built with the page's tables as ``header``: frames in, lines out."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here: apt install gcc")
    (folder / header).write_text(tables, encoding="utf-8")
    program = folder / "decoder"
    command = [compiler, "-std=c11", "-O1", "-Wall", "-Wextra", "-I", str(folder),
               "-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-o", str(program),
               str(HERE / f"{name}_decoder.c")]  # fmt: skip
    built = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""

    def lines_of(frames: list[bytes]) -> list[str]:
        given = "".join(frame.hex() + "\n" for frame in frames)
        ran = subprocess.run([str(program), *arguments], input=given, capture_output=True,
                             text=True, timeout=120, check=False)  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.splitlines()

    return lines_of
