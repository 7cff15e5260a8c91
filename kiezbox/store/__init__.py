"""The box's memory: a journal in front of SQLite, cursors, faults, transitions; the log of words.

One process writes (the node); everybody else reads with ``StoreReader`` or adds orders
with small transactions of their own. See docs/architecture.md, "Data's way".
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiezbox.store.queries import Order, Transition
    from kiezbox.store.reader import StoreReader, StoreWriter
    from kiezbox.store.store import Store

__all__ = ["Order", "Store", "StoreReader", "StoreWriter", "Transition"]

_WHERE = {
    "Order": "queries", "Transition": "queries", "StoreReader": "reader", "StoreWriter": "reader",
    "Store": "store",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Loaded when asked for: whoever only writes words need not carry the node's half (1 MiB)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
