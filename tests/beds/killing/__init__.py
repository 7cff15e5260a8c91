"""Whole nodes that are killed with SIGKILL while they write and publish.

Power cuts have their own bed (``beds.crashfs``); a kill leaves the page cache alone. What it can
find is everything above that: what a process forgets, says twice, or says too early.
"""
