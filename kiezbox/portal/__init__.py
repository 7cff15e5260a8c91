"""The residents' pages. Knows the store and the rules; can reach no pin, no radio, no key.

``kiezbox portal`` is one thread that answers everybody from prepared bytes (``responder``), and
loads Flask and waitress for what takes long (``behind``). What is said to whom stands in
``answers``. See docs/portal.md.
"""
