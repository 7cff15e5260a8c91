"""The other boxes over LoRa, by a Meshtastic radio (docs/radio.md)."""
