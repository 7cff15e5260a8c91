"""A simulated LoRaWAN modem with its network, byte by byte, in two dialects.

``SimulatedRak3172`` speaks as RAKwireless' RUI3 does, ``SimulatedE5`` as Seeed's Wio-E5.
Modelled: commands in any pieces and with either end of line, echo (RAK), settings that are kept
and read back, joining with keys that must be the network's, DevNonce counted up, being busy while
a join or an uplink is under way, events after a while, confirmed uplinks, downlinks, the largest
payload of a data rate, ADR that changes the rate, a duty cycle that is used up, and the faults of
``FAULTS``. What the network received is in ``Network.uplinks``.
Not modelled: radio and AES (a join is right when the three keys are), repeats of an unconfirmed
frame, classes B and C, other bands, ABP, firmware older than RUI3, passwords and low power.
Sources: RAKwireless, "RUI3 AT Command Manual", and RUI3's service_lora.c for the events; Seeed,
"LoRa-E5 AT Command Specification" V1.0, and logs of real modules in Seeed's wiki and forum.
"""

from __future__ import annotations

from kiezbox.hardware.simulated._lora import (
    FAULTS,
    MOST_BYTES,
    Network,
    SimulatedLoraModem,
    Uplink,
)

__all__ = ["FAULTS", "Network", "SimulatedE5", "SimulatedLoraModem", "SimulatedRak3172", "Uplink"]


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and all(character in "0123456789ABCDEF" for character in text)


class SimulatedRak3172(SimulatedLoraModem):
    """RAK3172, RUI3. Answers are ``AT+X=value`` (if any), an empty line, and a status."""

    _KEYS = {"DEVEUI": ("dev", 16), "APPEUI": ("join", 16), "APPKEY": ("app", 32)}
    #: Settings of which only the limits matter here.
    _LIMITS = {"NWM": 1, "NJM": 1, "BAND": 12, "RETY": 7, "CFM": 1, "ADR": 1, "DR": 7}

    def __init__(self, network: Network, **options: object) -> None:
        super().__init__(network, **options)  # type: ignore[arg-type]
        self._values = {"NWM": 1, "NJM": 1, "BAND": 4, "RETY": 0, "CFM": 0, "ADR": 1, "DR": 0}

    def _obey(self, line: str) -> str:
        if line.upper() == "AT":
            return self._status("OK")
        if line.upper() == "ATE":
            self.is_echoing = not self.is_echoing
            return self._status("OK")
        if not line.upper().startswith("AT+"):
            return self._status("AT_COMMAND_NOT_FOUND")
        name, is_set, value = line[3:].partition("=")
        name = name.upper()
        self.commands.append(f"{name}={'…' if name == 'APPKEY' else value}")
        if value == "?":
            return self._tell(name)
        if name == "JOIN":
            return self._join()
        if name == "SEND":
            return self._send(value)
        return self._status(self._set(name, value.upper()) if is_set else "AT_ERROR")

    @staticmethod
    def _status(word: str) -> str:
        return f"\r\n{word}\r\n"

    def _tell(self, name: str) -> str:
        told = {"NJS": int(self.is_joined), "DR": self.rate, "VER": "RUI_4.2.1_RAK3172-E"}
        if name in self._KEYS:
            value: object = self.keys[self._KEYS[name][0]]
        elif name in told:
            value = told[name]
        elif name in self._values:
            value = self._values[name]
        else:
            return self._status("AT_COMMAND_NOT_FOUND")
        return f"AT+{name}={value}\r\n{self._status('OK')}"

    def _set(self, name: str, value: str) -> str:
        if self.fault == "error":
            return "AT_PARAM_ERROR"
        if name in self._KEYS:
            key, digits = self._KEYS[name]
            if not _is_hex(value, digits):
                return "AT_PARAM_ERROR"
            self.keys[key] = value
            return "OK"
        if name == "CLASS":
            return "OK" if value in ("A", "B", "C") else "AT_PARAM_ERROR"
        if name not in self._LIMITS:
            return "AT_COMMAND_NOT_FOUND"
        if not value.isdecimal() or int(value) > self._LIMITS[name]:
            return "AT_PARAM_ERROR"
        self._values[name] = int(value)
        if name == "DR":
            self.rate = int(value)
        self.is_adaptive = bool(self._values["ADR"])
        return "OK"

    def _join(self) -> str:
        if self.is_busy:
            return self._status("AT_BUSY_ERROR")

        def over() -> str:
            return "+EVT:JOINED\r\n" if self._try_to_join() else "+EVT:JOIN_FAILED_RX_TIMEOUT\r\n"

        self.is_joined = False
        self._after(2 * self._air_s, over)
        return self._status("OK")

    def _send(self, value: str) -> str:
        port, _, text = value.partition(":")
        is_fine = port.isdecimal() and 1 <= int(port) <= 233 and len(text) % 2 == 0
        if not is_fine or not _is_hex(text.upper(), len(text)) or not text:
            return self._status("AT_PARAM_ERROR")
        if self.is_busy:
            return self._status("AT_BUSY_ERROR")
        if not self.is_joined:
            return self._status("AT_NO_NETWORK_JOINED")
        if self.fault == "no_channel":
            return self._status("AT_DUTYCYLE_RESTRICTED")
        payload = bytes.fromhex(text)
        if len(payload) > MOST_BYTES[min(self.rate, 6)]:
            return self._status("AT_PARAM_ERROR")
        is_confirmed = bool(self._values["CFM"])

        def over() -> str:
            is_there = self._transmit(int(port), payload, is_confirmed=is_confirmed)
            said = "+EVT:TX_DONE\r\n"
            if is_confirmed:
                said = f"+EVT:SEND_CONFIRMED_{'OK' if is_there else 'FAILED(4)'}\r\n"
            down = self._downlink() if is_there else None
            if down is not None:
                said += f"+EVT:RX_1:-70:8:UNICAST:{down[0]}:{down[1].hex()}\r\n"
            return said

        self._after(self._air_s, over)
        return self._status("OK")


class SimulatedE5(SimulatedLoraModem):
    """Wio-E5. Every line of an answer begins with ``+COMMAND: ``."""

    _IDS = {"DEVEUI": ("dev", "DevEui", 16), "APPEUI": ("join", "AppEui", 16)}

    def __init__(self, network: Network, **options: object) -> None:
        super().__init__(network, **options)  # type: ignore[arg-type]
        self.port, self.mode = 8, "LWABP"
        self.keys["dev"], self.keys["join"] = "2CF7F12024900363", "8000000000000007"

    def _obey(self, line: str) -> str:
        if line.upper() == "AT":
            return "+AT: OK\r\n"
        if not line.upper().startswith("AT+"):
            return ""
        name, is_set, value = line[3:].partition("=")
        name, value = name.strip().upper(), value.strip()
        self.commands.append(f"{name}={'…' if name == 'KEY' else value}")
        handler = getattr(self, f"_do_{name.lower()}", None)
        if handler is None:
            return f"+{name}: ERROR(-10)\r\n"
        if self.fault == "error" and is_set and name not in ("JOIN", "MSGHEX", "CMSGHEX"):
            return f"+{name}: ERROR(-1)\r\n"
        said: str = handler(value.replace('"', "").strip())
        return said

    def _do_ver(self, value: str) -> str:
        return "+VER: 4.0.11\r\n"

    def _do_mode(self, value: str) -> str:
        if value:
            self.mode = value.upper()
            self.is_joined = False
        return f"+MODE: {self.mode}\r\n"

    def _do_id(self, value: str) -> str:
        name, _, given = (part.strip() for part in value.partition(","))
        if name.upper() not in self._IDS:
            return "+ID: ERROR(-1)\r\n"
        key, shown, digits = self._IDS[name.upper()]
        if given:
            given = given.replace(":", "").replace(" ", "").upper()
            if not _is_hex(given, digits):
                return "+ID: ERROR(-1)\r\n"
            self.keys[key] = given
        pairs = ":".join(self.keys[key][at : at + 2] for at in range(0, digits, 2))
        return f"+ID: {shown}, {pairs}\r\n"

    def _do_key(self, value: str) -> str:
        name, _, given = (part.strip() for part in value.partition(","))
        given = given.replace(" ", "").upper()
        if name.upper() != "APPKEY" or not _is_hex(given, 32):
            return "+KEY: ERROR(-1)\r\n"
        self.keys["app"] = given
        return f"+KEY: APPKEY {given}\r\n"

    def _do_class(self, value: str) -> str:
        return f"+CLASS: {value.upper() or 'A'}\r\n"

    def _do_port(self, value: str) -> str:
        if value:
            if not value.isdecimal() or not 1 <= int(value) <= 223:
                return "+PORT: ERROR(-1)\r\n"
            self.port = int(value)
        return f"+PORT: {self.port}\r\n"

    def _do_retry(self, value: str) -> str:
        if value.isdecimal():
            self.tries = max(1, int(value))
        return f"+RETRY: {self.tries}\r\n"

    def _do_adr(self, value: str) -> str:
        if value:
            self.is_adaptive = value.upper() == "ON"
        return f"+ADR: {'ON' if self.is_adaptive else 'OFF'}\r\n"

    def _do_dr(self, value: str) -> str:
        if value.upper() == "EU868":
            return "+DR: EU868\r\n"
        digits = value.upper().removeprefix("DR")
        if value:
            if not digits.isdecimal() or int(digits) > 7:
                return "+DR: ERROR(-1)\r\n"
            self.rate = int(digits)
        spreading = 12 - min(self.rate, 5)
        return f"+DR: DR{self.rate}\r\n+DR: EU868 DR{self.rate}  SF{spreading}  BW125K \r\n"

    def _do_join(self, value: str) -> str:
        if self.mode != "LWOTAA":
            return "+JOIN: ERROR(-12)\r\n"
        if self.is_busy:
            return "+JOIN: LoRaWAN modem is busy\r\n"
        if self.is_joined and value.upper() != "FORCE":
            return "+JOIN: Joined already\r\n"

        def over() -> str:
            if not self._try_to_join():
                return "+JOIN: Join failed\r\n+JOIN: Done\r\n"
            return (
                "+JOIN: Network joined\r\n+JOIN: NetID 000013 DevAddr 26:01:5F:66\r\n"
                "+JOIN: Done\r\n"
            )

        self._after(2 * self._air_s, over)
        return "+JOIN: Start\r\n+JOIN: NORMAL\r\n"

    def _do_msghex(self, value: str) -> str:
        return self._send("MSGHEX", value, is_confirmed=False)

    def _do_cmsghex(self, value: str) -> str:
        return self._send("CMSGHEX", value, is_confirmed=True)

    def _send(self, name: str, value: str, *, is_confirmed: bool) -> str:
        text = value.replace(" ", "").upper()
        if len(text) % 2 or not _is_hex(text, len(text)):
            return f"+{name}: ERROR(-1)\r\n"
        if self.is_busy:
            return f"+{name}: LoRaWAN modem is busy\r\n"
        if not self.is_joined:
            return f"+{name}: Please join network first\r\n"
        if self.fault == "no_channel":
            return f"+{name}: No band in 13469ms\r\n"
        payload, most = bytes.fromhex(text), MOST_BYTES[min(self.rate, 6)]
        if len(payload) > most:
            return f"+{name}: Length error {most}\r\n"

        def over() -> str:
            is_there = self._transmit(self.port, payload, is_confirmed=is_confirmed)
            said = f"+{name}: ACK Received\r\n" if is_confirmed and is_there else ""
            down = self._downlink() if is_there else None
            if down is not None:
                said += f'+{name}: PORT: {down[0]}; RX: "{down[1].hex().upper()}"\r\n'
            if down is not None or (is_confirmed and is_there):
                said += f"+{name}: RXWIN1, RSSI -70, SNR 8.0\r\n"
            return said + f"+{name}: Done\r\n"

        self._after(self._air_s, over)
        wait = f"+{name}: Wait ACK\r\n" if is_confirmed else ""
        return f"+{name}: Start\r\n{wait}"
