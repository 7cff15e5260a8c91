"""The box's memory: a journal in front of SQLite, cursors, faults, transitions, words.

One process writes (the node); everybody else reads with ``StoreReader`` or adds words and orders
with small transactions of their own. See docs/architecture.md, "Data's way".
"""
