"""Kiezbox: a neighbourhood emergency node."""

__version__ = "0.1.0"
