"""The residents' pages. Knows the store and the rules; can reach no pin, no radio, no key.

``kiezbox portal`` answers its first visitor from plain Python (``doorway``) and loads Flask and
waitress behind it (``app``); both give the same answers (``answers``). See docs/portal.md.
"""
