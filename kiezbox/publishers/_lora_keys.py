"""The three keys of a LoRaWAN device, from a file that only the node may read."""

from __future__ import annotations

import os
import re
import tomllib

from kiezbox.errors import Refused

__all__ = ["read_keys"]

_KEYS = {"dev_eui": 16, "join_eui": 16, "app_key": 32}


def read_keys(path: str) -> dict[str, str]:
    """The three keys, as capital hex digits.

    Raises:
        Refused: the file cannot be read, is open to everybody, or holds no three keys.
    """
    hint = "docs/lorawan.md shows the file; only user kiezbox should read it (chmod 600)."
    try:
        if os.stat(path).st_mode & 0o007:
            raise Refused(f"everybody on this machine may read keys_file {path}", hint=hint)
        with os.fdopen(os.open(path, os.O_RDONLY), "rb") as file:
            table = tomllib.loads(file.read(4096).decode())
    except OSError as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"cannot read keys_file {path}: {error.strerror}", hint=hint) from error
    except ValueError:
        # Its text may quote the line, and with it a key.
        raise Refused(f"keys_file {path} is no TOML", hint=hint) from None
    keys = {}
    for name, digits in _KEYS.items():
        text = re.sub(r"[:\s-]", "", str(table.get(name, ""))).upper()
        if not re.fullmatch(f"[0-9A-F]{{{digits}}}", text):
            raise Refused(f"keys_file {path}: {name} must be {digits} hex digits", hint=hint)
        keys[name] = text
    if set(keys["app_key"]) == {"0"}:
        raise Refused(f"keys_file {path}: app_key is all zeros", hint=hint)
    return keys
