"""The residents' pages. Knows the store and the rules; can reach no pin, no radio, no key.

``kiezbox portal`` is one thread that answers everybody from prepared bytes (``responder``); what
takes long is made aside (``behind``), what is sent is written by another (``mailroom``). What is
said to whom stands in ``answers``. See docs/portal.md.
"""
