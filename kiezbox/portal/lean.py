"""C halves of modules, without what their Python halves would load.

The first page is to be on a phone's screen 30 ms after the process was started (docs/portal.md),
and Python takes a third of that before it runs a line of ours. What is spared here costs 3 and 5 to
10 ms. Whoever needs the whole module later imports it as always, and finds the same C half.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["httptools", "load_sqlite"]


def load_sqlite() -> None:
    """Load ``_sqlite3``, for whoever imports it next. Raises ImportError.

    It asks for one thing, ``functools.lru_cache``, to keep a connection's prepared statements
    (Modules/_sqlite/connection.c). ``functools`` would load ``collections``, ``operator``,
    ``reprlib`` and ``types``; its own C half has all that is needed.
    """
    if "_sqlite3" in sys.modules or "functools" in sys.modules:
        return
    sys.modules["functools"] = functools = type(sys)("functools")
    functools.lru_cache = _lru_cache  # type: ignore[attr-defined]
    try:
        import _sqlite3  # noqa: F401
    finally:
        del sys.modules["functools"]


def _lru_cache(most: int) -> Callable[[Callable[..., Any]], Any]:
    import _functools

    wrapper: Any = _functools._lru_cache_wrapper
    # By value and type alike; and a class for cache_info(), which nobody asks for.
    return lambda function: wrapper(function, most, False, tuple)  # noqa: FBT003


def httptools() -> Any:
    """The module ``httptools.parser.parser``. Raises ImportError."""
    return sys.modules.get("httptools.parser.parser") or _lean() or _whole()


def _whole() -> Any:
    import httptools.parser.parser

    return httptools.parser.parser


def _lean() -> Any:
    """Its C half alone. The Python half would load ``typing``, ``re`` and ``enum``. None where that
    cannot be done.

    The C half asks for two things: its error classes, and ``typing.Optional``, which stands in
    annotations that nobody evaluates.
    """
    if "httptools" in sys.modules:
        return None
    finder = sys.modules["_frozen_importlib_external"].PathFinder
    names = ("httptools", "httptools.parser")
    stand_ins = [name for name in (*names, "typing") if name not in sys.modules]
    try:
        path = None
        for name in names:
            path = finder.find_spec(name, path).submodule_search_locations
            sys.modules[name] = module = type(sys)(name)
            module.__path__ = path
        if "typing" in stand_ins:
            sys.modules["typing"] = typing = type(sys)("typing")
            typing.Optional = {bool: bool}  # type: ignore[attr-defined]
        __import__("httptools.parser.parser")
        return sys.modules["httptools.parser.parser"]
    except Exception:
        # Another version, another build: then as everybody loads it.
        return None
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)
