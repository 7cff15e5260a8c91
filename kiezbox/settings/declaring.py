"""How a setting is declared, and how a table becomes checked objects: all problems at once."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from kiezbox.errors import SettingsError
from kiezbox.model import is_sensor_name

T = TypeVar("T")

#: A table whose keys its driver declares; parsed by whoever loads the driver.
Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known about one setting; the ``metadata`` of its dataclass field."""

    help: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    example: Any = None
    check: Callable[[Any], str] | None = None
    is_secret: bool = False


def setting(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    unit: str = "",
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    example: Any = None,
    check: Callable[[Any], str] | None = None,
    is_secret: bool = False,
) -> Any:
    """Declare one setting. Without ``default`` it must be given.

    ``check`` gets the value and returns what is wrong with it, or "". ``example`` is shown in
    the example file where the default would teach nothing.
    """
    declaration = Declaration(help, unit, least, most, choices, example, check, is_secret)
    return dataclasses.field(default=default, metadata={"setting": declaration})


def section(kind: type[Any], *, help: str) -> Any:
    """Declare a table below this one; all its settings may be left out if they have defaults."""
    return dataclasses.field(
        default_factory=kind, metadata={"setting": Declaration(help), "section": kind}
    )


def tables(
    *,
    help: str,
    of: type[Any] | None = None,
    check: Callable[[str], str] | None = None,
    example: Mapping[str, Any] | None = None,
) -> Any:
    """Declare named tables, one per thing (``[sensors.roof]``), each parsed by its driver.

    ``of``: all are of this kind, and parsed here. ``check`` says what is wrong with a name.
    ``example``: what stands in one of them, where no ``of`` says so.
    """
    declaration = Declaration(help, check=check, example=example)
    return dataclasses.field(
        default_factory=dict, metadata={"setting": declaration, "tables": True, "of": of}
    )


#: Settings that were renamed or removed, and the sentence that helps. Kept for two releases.
OBSOLETE: dict[str, str] = {}


def declarations(kind: type[Any]) -> Iterator[tuple[dataclasses.Field[Any], Declaration]]:
    """The fields of a settings class that are settings, in the order in which they stand."""
    for field in dataclasses.fields(kind):
        if "setting" in field.metadata:
            yield field, field.metadata["setting"]


def parse(kind: type[T], table: Table, where: str = "") -> T:
    """The settings object that the table describes.

    Raises:
        SettingsError: naming every problem at once, a line each, with what is allowed.
    """
    problems: list[str] = []
    parsed = _parse(kind, table, where, problems)
    if problems:
        raise SettingsError(
            "\n".join(problems),
            hint="`kiezbox settings example` shows every setting with its range and default.",
        )
    assert parsed is not None
    return parsed


def _parse(
    kind: type[T], table: Table, where: str, problems: list[str], base: T | None = None
) -> T | None:
    """``base`` gives the defaults where a section has others than its class (the causes)."""
    hints = get_type_hints(kind)
    known = {field.name: (field, declaration) for field, declaration in declarations(kind)}
    values: dict[str, Any] = {}
    before = len(problems)
    for key in table:
        if key not in known:
            problems.append(_unknown(join(where, key), key, list(known)))
    for name, (field, declaration) in known.items():
        path = join(where, name)
        if name not in table:
            if base is not None:
                values[name] = getattr(base, name)
            elif (
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            ):
                problems.append(f"{path} is missing\n{_indent(declaration.help)}")
            continue
        given = table[name]
        if "section" in field.metadata:
            if not isinstance(given, Mapping):
                problems.append(f"{path} = {given!r} must be a table: write [{path}]")
                continue
            make = field.metadata.get("make")
            values[name] = _parse(
                field.metadata["section"], given, path, problems, make() if make else None
            )
        elif field.metadata.get("tables"):
            named = _named_tables(given, path, problems, declaration.check)
            of = field.metadata["of"]
            values[name] = named if of is None else _parse_each(of, named, path, problems)
        else:
            value = _value(hints[name], given, declaration, path, problems)
            values[name] = value
    if len(problems) > before:
        return None
    try:
        return kind(**values)
    except SettingsError as error:
        # A rule between two settings of one table: it stands in the class's __post_init__.
        problems.append(f"{join(where, str(error))}\n{_indent(error.hint)}")
        return None


def _named_tables(
    given: Any, path: str, problems: list[str], check: Callable[[str], str] | None
) -> dict[str, Table]:
    if not isinstance(given, Mapping):
        problems.append(f"{path} must hold named tables: write [{path}.name]")
        return {}
    for name, table in given.items():
        if not is_sensor_name(name):
            problems.append(
                f"{path}.{name}: a name is lower-case letters, digits and underscores, a letter"
                " first, at most 31"
            )
        elif not isinstance(table, Mapping):
            problems.append(f"{path}.{name} must be a table: write [{path}.{name}]")
        elif check is not None and (wrong := check(name)):
            problems.append(f"{path}.{name} {wrong}")
    return dict(given)


def _parse_each(
    kind: type[T], named: Mapping[str, Table], path: str, problems: list[str]
) -> dict[str, T | None]:
    return {
        name: _parse(kind, table, join(path, name), problems)
        for name, table in named.items()
        if isinstance(table, Mapping)
    }


def _value(hint: Any, given: Any, declaration: Declaration, path: str, problems: list[str]) -> Any:
    wanted = _plain_types(hint)
    if float in wanted and isinstance(given, int) and not isinstance(given, bool):
        given = float(given)
    if tuple in wanted and isinstance(given, list):
        given = tuple(given)
    is_right = type(given) in wanted
    shown = "…" if declaration.is_secret else toml(given)
    if not is_right:
        names = " or ".join(sorted(_TYPE_WORDS.get(t, t.__name__) for t in wanted))
        problems.append(f"{path} = {shown} must be {names}\n{_indent(declaration.help)}")
        return None
    wrong = _wrong(given, declaration)
    if wrong:
        problems.append(f"{path} = {shown} {wrong}\n{_indent(declaration.help)}")
    return given


_TYPE_WORDS = {
    str: "a text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list of texts",
    dict: "a table",
}


def _plain_types(hint: Any) -> set[type]:
    if get_origin(hint) in (Union, types.UnionType):
        return {t for arg in get_args(hint) for t in _plain_types(arg) if t is not type(None)}
    found = get_origin(hint) or hint
    return {dict if found is Mapping else found}


def _wrong(value: Any, declaration: Declaration) -> str:
    if isinstance(value, float) and value != value:
        return "is not a number"
    if declaration.choices and value not in declaration.choices:
        return "must be one of " + ", ".join(declaration.choices)
    least, most = declaration.least, declaration.most
    unit = f" {declaration.unit}" if declaration.unit else ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if (least is not None and value < least) or (most is not None and value > most):
            if most is None:
                return f"must be at least {least:g}{unit}"
            if least is None:
                return f"must be at most {most:g}{unit}"
            return f"is outside {least:g} to {most:g}{unit}"
    return declaration.check(value) if declaration.check else ""


def _unknown(path: str, key: str, known: list[str]) -> str:
    import difflib

    if path in OBSOLETE:
        return f"{path} is no longer a setting: {OBSOLETE[path]}"
    close = difflib.get_close_matches(key, known, 1)
    if close:
        return f"{path} is not a setting; did you mean {close[0]}?"
    return f"{path} is not a setting; known here: {', '.join(known)}"


def join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _indent(text: str) -> str:
    return "\n".join("         " + line for line in text.splitlines())


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    return str(value)
