"""kiezbox.toml, declared once. Checks, messages, the example file and the reference page come
from the declarations in this room and beside each driver; nothing reads a setting it did not
declare here or there. Pure: a mapping goes in (who read the file is ``cli``), objects come out.
"""

from kiezbox.settings.abuse import AbuseSettings
from kiezbox.settings.box import (
    PUBLIC_PLACES,
    BoxSettings,
    CauseSettings,
    CausesSettings,
    ModeSettings,
    PortalSettings,
    PowerSettings,
    PublisherSettings,
    SensorSettings,
    Settings,
    StoreSettings,
)
from kiezbox.settings.declaring import (
    Declaration,
    Table,
    declarations,
    parse,
    section,
    setting,
    tables,
)
from kiezbox.settings.desk import DeskSettings
from kiezbox.settings.hardware import (
    BatterySettings,
    ButtonSettings,
    ClockSettings,
    GridSourceSettings,
    HardwareSettings,
)
from kiezbox.settings.kiez import KiezSettings
from kiezbox.settings.network import (
    AccessPointSettings,
    CertificateSettings,
    MeshSettings,
    NetworkSettings,
    StreetSettings,
    UplinkSettings,
)
from kiezbox.settings.operator import OperatorSettings
from kiezbox.settings.place import PlaceSettings
from kiezbox.settings.quality import LimitSettings
from kiezbox.settings.radio import RadioSettings
from kiezbox.settings.sources import SourceSettings
from kiezbox.settings.steps import STEP_NAMES, StepSettings
from kiezbox.settings.teaching import describe, example
from kiezbox.settings.trust import TrustSettings

__all__ = [
    "PUBLIC_PLACES",
    "STEP_NAMES",
    "AbuseSettings",
    "AccessPointSettings",
    "BatterySettings",
    "BoxSettings",
    "ButtonSettings",
    "CauseSettings",
    "CausesSettings",
    "CertificateSettings",
    "ClockSettings",
    "Declaration",
    "DeskSettings",
    "GridSourceSettings",
    "HardwareSettings",
    "KiezSettings",
    "LimitSettings",
    "MeshSettings",
    "ModeSettings",
    "NetworkSettings",
    "OperatorSettings",
    "PlaceSettings",
    "PortalSettings",
    "PowerSettings",
    "PublisherSettings",
    "RadioSettings",
    "SensorSettings",
    "Settings",
    "SourceSettings",
    "StepSettings",
    "StoreSettings",
    "StreetSettings",
    "Table",
    "TrustSettings",
    "UplinkSettings",
    "declarations",
    "describe",
    "example",
    "parse",
    "section",
    "setting",
    "tables",
]
