"""The box's memory: a journal in front of SQLite, cursors, faults, transitions, words.

One process writes (the node); everybody else reads with ``StoreReader`` or adds words and orders
with small transactions of their own. See docs/architecture.md, "Data's way".
"""

from kiezbox.store.queries import Order, Transition
from kiezbox.store.reader import StoreReader, StoreWriter
from kiezbox.store.store import Store

__all__ = ["Order", "Store", "StoreReader", "StoreWriter", "Transition"]
