"""The operator's desk: a few pages behind a passphrase. Never for the street.

``create_app`` in ``app``; who may come in is decided in ``vault`` (code and passphrase) and
``sessions``. It reads now.json, like everybody; it holds no right to change anything on the box.
"""
