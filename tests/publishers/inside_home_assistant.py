"""A real Home Assistant with nothing but its MQTT integration, under a Python that has it.

``inside_home_assistant.py FOLDER PORT``: connects to the broker at that port. Each line on standard
input is answered with one of JSON: ``states`` (all entities), ``registry`` (by unique id), ``log``
(what it warned of), ``end``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from homeassistant import bootstrap, config_entries, const, core, loader
from homeassistant.helpers import device_registry, entity_registry


class Kept(logging.Handler):
    """Warnings and worse, as text."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def entry_for(port: int) -> config_entries.ConfigEntry:
    wanted: dict[str, Any] = {
        "domain": "mqtt",
        "title": "broker",
        "data": {"broker": "127.0.0.1", "port": port, "discovery": True},
        "options": {},
        "source": "user",
        "unique_id": None,
        "version": 1,
        "minor_version": 2,
        "discovery_keys": {},
        "subentries_data": None,
    }
    return config_entries.ConfigEntry(**wanted)


def answer(hass: core.HomeAssistant, asked: str, kept: Kept) -> Any:
    if asked == "log":
        return kept.lines
    if asked == "registry":
        entities = entity_registry.async_get(hass).entities.values()
        devices = device_registry.async_get(hass).devices.values()
        return {
            "entities": {each.unique_id: each.entity_id for each in entities},
            "devices": [
                {"name": each.name, "identifiers": sorted(map(list, each.identifiers))}
                for each in devices
            ],
        }
    return {
        state.entity_id: {"state": state.state, "attributes": dict(state.attributes)}
        for state in hass.states.async_all()
    }


async def main(folder: str, port: int) -> None:
    kept = Kept()
    logging.getLogger().addHandler(kept)
    hass = core.HomeAssistant(folder)
    hass.config.skip_pip = True
    # Pages in a browser, which MQTT wants for certificates that are uploaded.
    hass.config.components.update({"http", "file_upload"})
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    await hass.config_entries.async_add(entry_for(port))
    hass.set_state(core.CoreState.running)
    # Who waits for this says "online", a while after all that was kept has been described.
    hass.bus.async_fire(const.EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    print(json.dumps("ready"), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while (asked := (await reader.readline()).decode().strip()) not in ("end", ""):
        await hass.async_block_till_done()
        print(json.dumps(answer(hass, asked, kept), default=str), flush=True)
    await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
