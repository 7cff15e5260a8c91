"""Kiezbox 2.0, the boxes that are on roofs already: what they say, and how they are told.
docs/kiezbox-2.0.md. Pure; all that comes in is hostile."""
