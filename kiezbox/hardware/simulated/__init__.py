"""The simulated twins: chips that speak real registers, sensors that send real bytes, pins.

A ``Bench`` holds all that is wired to one box and serves it to that box's node, which reaches
it by address only. Each module says what it models and what it does not.
"""
