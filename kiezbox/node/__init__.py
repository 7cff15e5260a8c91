"""The daemon ``kiezbox run``: hardware, store, publishers, power and mode, a thread per worker."""
