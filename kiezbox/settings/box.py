"""What every box has in kiezbox.toml. Sensors and publishers add their own beside their drivers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiezbox.model import is_box_id
from kiezbox.settings.abuse import AbuseSettings
from kiezbox.settings.declaring import Declaration, Table, section, setting, tables
from kiezbox.settings.desk import DeskSettings
from kiezbox.settings.hardware import (
    BatterySettings,
    ButtonSettings,
    ClockSettings,
    HardwareSettings,
)
from kiezbox.settings.help import HelpSettings
from kiezbox.settings.kiez import KiezSettings
from kiezbox.settings.network import NetworkSettings
from kiezbox.settings.operator import OperatorSettings
from kiezbox.settings.place import PlaceSettings
from kiezbox.settings.quality import LimitSettings, wrong_quantity
from kiezbox.settings.radio import RadioSettings
from kiezbox.settings.steps import StepSettings, wrong_steps_quantity
from kiezbox.settings.trust import TrustSettings

_COUNTRY, _PHONE = re.compile("([A-Z]{2})?"), re.compile(r"\+?[0-9][0-9 /-]{1,24}|")


def _check_box_id(value: str) -> str:
    return "" if is_box_id(value) else "may hold lower-case letters, digits and inner hyphens only"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSettings:
    id: str = setting(
        help="The box's own name: unique in the city, never reused. Goes into topics and ids.",
        example="kb-musterplatz-1",
        check=_check_box_id,
    )
    name: str = setting("", help="What people call it, as shown on its pages.", example="Späti")
    latitude: float | None = setting(
        None, help="Where it stands (WGS84).", unit="degrees", least=-90, most=90, example=51.163
    )
    longitude: float | None = setting(
        None, help="Where it stands (WGS84).", unit="degrees", least=-180, most=180, example=10.448
    )
    accuracy_m: float = setting(
        25.0, help="How far off that place may be.", unit="m", least=1, most=5000
    )
    public_grid_m: float = setting(
        100.0,
        help="Others are told the middle of a square of this width, always the same one, and not\n"
        "the place itself. 0: the place itself.",
        unit="m",
        least=0,
        most=10000,
    )
    country: str = setting(
        "",
        help="The country (ISO 3166): which numbers residents are told to call. Empty: that of\n"
        "the package of the place, else of the radio (network.access_point.country), else 112,\n"
        "which reaches everybody in the EU.",
        example="DE",
        check=lambda value: "" if _COUNTRY.fullmatch(value) else "must be two capital letters",
    )
    poison_phone: str = setting(
        "",
        help="The poison helpline of your region, as people dial it. Empty: that of the package's\n"
        "region, or country; without one residents are told that this box does not know it.",
        example="000 1234567",
        check=lambda value: "" if _PHONE.fullmatch(value) else "is no telephone number",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    path: str = setting(
        "/var/lib/kiezbox/kiezbox.db",
        help="The database. Its journal lies beside it, with .journal at the end.",
    )
    words: str = setting(
        "",
        help="The log of words: bulletins, the board, requests for help. By default\n"
        "words/words.db beside the database: a folder of its own, because the portal writes into\n"
        "it and into nothing else.",
    )
    run_dir: str = setting(
        "/run/kiezbox",
        help="Folder in memory for what is true just now (now.json); nothing here costs the card.",
    )
    flush_s: float = setting(
        60.0,
        help="How long a reading may stay in memory only: what a power cut can cost at most.\n"
        "Shorter wears the card more.",
        unit="s",
        least=0.1,
        most=600,
    )
    fold_s: float = setting(
        14400.0,
        help="How often the journal is folded into the database.",
        unit="s",
        least=1,
        most=86400,
    )
    journal_kib: int = setting(
        512, help="Size of the journal, laid out once.", unit="KiB", least=16, most=65536
    )
    keep_days: float = setting(
        730.0,
        help="Single readings older than this are deleted once every publisher has them; means\n"
        "over ten minutes, hours and days stay longer.",
        unit="days",
        least=1,
        most=36500,
    )
    keep_10min_days: float = setting(
        1826.0,
        help="Means over ten minutes older than this are deleted (no sooner than the readings).",
        unit="days",
        least=1,
        most=36500,
    )
    keep_hourly_days: float = setting(
        3652.0,
        help="Means over an hour older than this are deleted (and no sooner than finer ones).",
        unit="days",
        least=1,
        most=36500,
    )
    keep_daily_days: float = setting(
        36500.0,
        help="Means over a day older than this are deleted (and no sooner than finer ones).",
        unit="days",
        least=1,
        most=36500,
    )
    most_mib: int = setting(
        1024,
        help="Above this size, or on a card that is nearly full, the oldest single readings are\n"
        "deleted, even those a publisher has not confirmed yet; that is a fault then. Means stay.",
        unit="MiB",
        least=1,
        most=1048576,
    )

    @property
    def words_path(self) -> str:
        """Where the log of words is."""
        folder, slash, _ = self.path.rpartition("/")
        return self.words or f"{folder}{slash}words/words.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSettings:
    bridge_s: float = setting(
        8.0,
        help="The grid must be gone so long before it counts as lost, with one source. Short\n"
        "interruptions are a grid's everyday; ten seconds of dark are not.",
        unit="s",
        least=0.5,
        most=600,
    )
    agreed_bridge_s: float = setting(
        1.0,
        help="The same when two or more sources agree. With a look every 2 s a loss is\n"
        "then known within 3 s.",
        unit="s",
        least=0.5,
        most=600,
    )
    return_hold_s: float = setting(
        600.0,
        help="The grid must be back so long before the emergency ends: grids return in attempts.",
        unit="s",
        least=0,
        most=86400,
    )
    silent_s: float = setting(
        10.0,
        help="A source that says nothing for so long counts as silent; sources that contradict\n"
        "each other for so long are a fault.",
        unit="s",
        least=1,
        most=600,
    )
    interval_s: float = setting(
        1.0, help="How often the sources are asked.", unit="s", least=0.1, most=10
    )
    battery: BatterySettings = section(BatterySettings, help="The box's own battery.")
    grid: Mapping[str, Table] = tables(
        help="What tells whether the grid is there; several vote. None: the box cannot know\n"
        "(a solar roof kit) and is opened by its operator."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSettings:
    enabled: bool = setting(True, help="Whether this cause may open the emergency WLAN by itself.")
    debounce_s: float = setting(
        0.0, help="It must hold so long before it counts.", unit="s", least=0, most=86400
    )
    expiry_s: float = setting(
        0.0,
        help="It stops counting after so long; 0: never by itself.",
        unit="s",
        least=0,
        most=2592000,
    )


def _cause(enabled: bool, debounce_s: float, expiry_s: float, help: str) -> Any:
    def make() -> CauseSettings:
        return CauseSettings(enabled=enabled, debounce_s=debounce_s, expiry_s=expiry_s)

    return dataclasses.field(
        default_factory=make,
        metadata={"setting": Declaration(help), "section": CauseSettings, "make": make},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CausesSettings:
    grid_lost: CauseSettings = _cause(True, 0.0, 0.0, "The grid is lost (debounced in [power]).")
    operator: CauseSettings = _cause(True, 0.0, 0.0, "The operator says so (`kiezbox mode`).")
    remote_order: CauseSettings = _cause(
        False, 0.0, 86400.0, "A signed order from the city (source: step 5)."
    )
    official_warning: CauseSettings = _cause(
        False, 60.0, 86400.0, "A severe official warning for this place (docs/sources.md)."
    )
    uplink_lost: CauseSettings = _cause(False, 1800.0, 0.0, "No uplink for longer than debounce_s.")
    sensor_threshold: CauseSettings = _cause(
        False, 0.0, 0.0, "A sensor outdoors at its alarm step (debounced there; docs/air.md)."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSettings:
    wlan_pause_s: float = setting(
        300.0,
        help="At most one change of the WLAN in so long: phones give up on a network that comes\n"
        "and goes.",
        unit="s",
        least=0,
        most=86400,
    )
    order_most_s: float = setting(
        86400.0,
        help="How long an operator's order holds at most; it ends by itself.",
        unit="s",
        least=60,
        most=2592000,
    )
    causes: CausesSettings = section(CausesSettings, help="What may open the emergency WLAN.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSettings:
    listen: str = setting(
        "127.0.0.1:8081",
        help="Address and port of the residents' pages, where systemd hands no socket over.",
    )
    threads: int = setting(
        2, help="How many slow pages are made at once; most are ready made.", least=1, most=64
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole of kiezbox.toml."""

    box: BoxSettings = dataclasses.field(
        metadata={"setting": Declaration("Which box this is."), "section": BoxSettings}
    )
    store: StoreSettings = section(StoreSettings, help="Where readings and words are kept.")
    hardware: HardwareSettings = section(HardwareSettings, help="Buses and pins.")
    sensors: Mapping[str, Table] = tables(help="One table per sensor.")
    power: PowerSettings = section(PowerSettings, help="Grid and battery.")
    mode: ModeSettings = section(ModeSettings, help="When the box opens the emergency WLAN.")
    network: NetworkSettings = section(
        NetworkSettings, help="The emergency WLAN and what it hangs on."
    )
    publishers: Mapping[str, Table] = tables(help="Where readings go. A table switches one on.")
    sources: Mapping[str, Table] = tables(
        help="Where official warnings come from. A table switches one on."
    )
    portal: PortalSettings = section(PortalSettings, help="The residents' pages.")
    operator: OperatorSettings = section(
        OperatorSettings, help="Who answers for this box. Residents see it under 'About'."
    )
    place: PlaceSettings = section(PlaceSettings, help="The surroundings: points and streets.")
    trust: TrustSettings = section(TrustSettings, help="Whose word is official.")
    kiez: KiezSettings = section(KiezSettings, help="The other boxes (docs/peers.md).")
    radio: RadioSettings = section(RadioSettings, help="The other boxes over LoRa (docs/radio.md).")
    help: HelpSettings = section(HelpSettings, help="Who may read what residents seal.")
    abuse: AbuseSettings = section(
        AbuseSettings, help="How much one guest may write, and what nobody may."
    )
    desk: DeskSettings = section(DeskSettings, help="The operator's pages.")
    button: ButtonSettings = section(ButtonSettings, help="A push button at the box.")
    clock: ClockSettings = section(ClockSettings, help="Leave alone on a real box.")


#: Of ``SensorSettings.where``: what a sensor there says is nobody's private life.
PUBLIC_PLACES = ("outdoor", "box")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSettings:
    """What every ``[sensors.NAME]`` has; a driver's ``Settings`` adds its own."""

    driver: str = setting(help="The driver: a file in kiezbox/sensors/.")
    interval_s: float = setting(
        60.0, help="It is the time between two readings.", unit="s", least=1, most=86400
    )
    saving_interval_s: float = setting(
        600.0,
        help="The same in mode saving, if that is longer; 0: it is not read then. Fans, lasers\n"
        "and the like rest meanwhile. The sensor of [power.battery] keeps its interval.",
        unit="s",
        least=0,
        most=86400,
    )
    deadline_s: float = setting(
        10.0,
        help="A read that takes longer has failed; the other sensors never wait for it.",
        unit="s",
        least=0.5,
        most=120,
    )
    where: str = setting(
        "indoor",
        help="outdoor, indoor (a flat, an office: nothing of it leaves the box without a recorded\n"
        "consent, see `kiezbox consent`), or box (the box's own battery, supply, clock).",
        choices=("outdoor", "indoor", "box"),
    )
    room: str = setting(
        "",
        help="The room it hangs in, as `kiezbox advice` names it: sensors of one room are taken\n"
        "together. Empty: the sensor's own name.",
        example="bedroom",
    )
    wall: bool = setting(
        False,
        help="It is pressed on the coldest wall of its room: its temperature is the wall's, and\n"
        "tells of mould. Without a room it belongs to the only one there is.",
    )
    temperature_offset_k: float = setting(
        0.0,
        help="Is added to the temperature, in series of their own (NAME_corrected), with the\n"
        "humidity computed anew. A box that warms its sensor by 4 K: -4 (docs/quality.md).",
        unit="K",
        least=-20,
        most=20,
    )
    quality: Mapping[str, LimitSettings] = tables(
        help="Other limits than those of docs/quality.md: [sensors.NAME.quality.QUANTITY].",
        of=LimitSettings,
        check=wrong_quantity,
    )
    steps: Mapping[str, StepSettings] = tables(
        help="From which value on something is said: [sensors.NAME.steps.QUANTITY], for\n"
        "water_level_m, temperature_c, pm2_5_ug_m3, pm10_ug_m3 (docs/air.md).",
        of=StepSettings,
        check=wrong_steps_quantity,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSettings:
    """What every ``[publishers.NAME]`` has; a carrier's ``Settings`` adds its own."""

    driver: str = setting(
        "", help="The carrier: a file in kiezbox/publishers/. Empty: the table's own name."
    )
    owner: str = setting(
        "",
        help="Who gets the readings there, as people who agree to it are told (docs/privacy.md).\n"
        "With another owner, as with another address, they must be asked again.",
        example="Universität Musterstadt, Institut für Klima",
    )
    batch: int = setting(
        1000, help="How many readings travel in one message at most.", least=1, most=1000
    )
    retry_least_s: float = setting(
        1.0, help="First pause after a failure; it doubles.", unit="s", least=0.1, most=600
    )
    retry_most_s: float = setting(
        4.0,
        help="Longest pause. A link that is back must be noticed within 5 s.",
        unit="s",
        least=0.5,
        most=3600,
    )
