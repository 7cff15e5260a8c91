"""The settings file that teaches, and what to say about one setting."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any

from kiezbox.settings.declaring import Declaration, declarations, join, toml


def example(
    kind: type[Any],
    where: str = "",
    *,
    extra: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> str:
    """The settings file that teaches: every setting, explained, commented out at its default.

    ``extra`` maps a path of named tables ("sensors") to ready-made text to put there; ``given``
    has values to show instead of defaults.
    """
    lines: list[str] = []
    _example(kind, where, lines, extra or {}, None, given or {})
    return "\n".join(lines).strip() + "\n"


def _example(
    kind: type[Any],
    where: str,
    lines: list[str],
    extra: Mapping[str, str],
    base: Any = None,
    given: Mapping[str, Any] = types.MappingProxyType({}),
) -> None:
    below: list[tuple[str, dataclasses.Field[Any], Declaration]] = []
    for field, declaration in declarations(kind):
        path = join(where, field.name)
        if "section" in field.metadata or "tables" in field.metadata:
            below.append((path, field, declaration))
            continue
        default = field.default if base is None else getattr(base, field.name)
        lines += [f"# {line}" for line in describe(default, declaration)]
        is_required = default is dataclasses.MISSING
        shown = declaration.example
        if shown is None:
            shown = "" if is_required or default is None else default
        shown = given.get(field.name, shown)
        comment = "" if is_required or field.name in given else "# "
        lines += [f"{comment}{field.name} = {toml(shown)}", ""]
    for path, field, declaration in below:
        lines += ["", *(f"# {line}" for line in declaration.help.splitlines())]
        if "section" in field.metadata:
            lines.append(f"[{path}]")
            make = field.metadata.get("make")
            _example(field.metadata["section"], path, lines, extra, make() if make else None)
        elif path in extra:
            lines += [extra[path], ""]
        else:
            each = [f"{key} = {toml(value)}" for key, value in (declaration.example or {}).items()]
            if field.metadata["of"] is not None:
                _example(field.metadata["of"], f"{path}.name", each, extra)
            lines.append(f"# [{path}.name]")
            lines += [line if line.startswith("#") or not line else f"# {line}" for line in each]
            lines.append("")


def describe(default: Any, declaration: Declaration) -> list[str]:
    """What to say about one setting: its help, its range, its default."""
    lines = declaration.help.splitlines()
    facts = []
    if declaration.choices:
        facts.append("one of " + ", ".join(declaration.choices))
    least, most, unit = declaration.least, declaration.most, declaration.unit
    if least is not None and most is not None:
        facts.append(f"{least:g} to {most:g} {unit}".strip())
    elif least is not None:
        facts.append(f"at least {least:g} {unit}".strip())
    elif unit:
        facts.append(f"in {unit}")
    if default is dataclasses.MISSING:
        facts.append("must be given")
    elif default is not None:
        facts.append(f"default {toml(default)}")
    if facts:
        lines = [*lines, "(" + "; ".join(facts) + ")"]
    return lines
