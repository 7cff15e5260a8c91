"""English."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT: dict[str, Any] = {
    "exercise_banner": "EXERCISE · ÜBUNG",
    "exercise_mark": "Not an emergency",
    "causes": {
        "grid_lost": (
            "Power cut",
            "This box has lost mains power. It cannot tell whether that is this house only or the"
            " whole area.",
        ),
        "operator": (
            "Emergency mode",
            "The operator of this box has switched emergency mode on.",
        ),
        "remote_order": (
            "Emergency mode",
            "An order from outside has switched this box to emergency mode.",
        ),
        "official_warning": (
            "Official warning",
            "There is an official warning for this place.",
        ),
        "uplink_lost": (
            "No internet",
            "This box has lost its connection to the outside.",
        ),
        "sensor_threshold": (
            "Reading too high",
            "A reading of this box is above its alarm threshold.",
        ),
    },
    "modes": {
        "emergency": ("Emergency mode", "This box is in emergency mode."),
        "normal": ("An ordinary day", "This box reports no emergency."),
        "exercise": (
            "Exercise",
            "Nothing has happened. This box is practising an emergency. In a"
            " power cut this page looks much like this.",
        ),
        "maintenance": ("Maintenance", "Somebody works on this box. It reports no emergency."),
        "saving": ("Box saves power", "This box reports no emergency."),
        "dark": ("Box nearly empty", "This box reports no emergency."),
        "unknown": ("Situation unknown", "This box does not know what the situation is just now."),
    },
    "unsure": "No emergency reported",
    "last_known": "Last known: {headline}",
    "saving": (
        "The battery of this box is low.",
        "It saves power. Write down what you need from here.",
    ),
    "dark": (
        "The battery of this box is almost empty.",
        "It will go off very soon. Write down what you need from here.",
    ),
    "since": "since {when}",
    "returning": (
        "The power is back",
        "It may fail once more. The box waits and watches.",
    ),
    "promise": "If the power fails, this page says what is going on and what you can do first.",
    "grid": {
        "present": "Mains power is there.",
        "bridging": "The power is off just now. The box waits a moment for it to come back.",
        "lost": "This box has lost mains power.",
        "unknown": "This box cannot tell just now whether mains power is there.",
    },
    "not_sensed": "This box cannot tell by itself whether mains power is there. Its operator"
    " switches emergency mode on.",
    "silent": (
        "This may no longer be so.",
        "The measuring service of this box is not running. Last known: {when} ({age}).",
    ),
    "silent_for_ever": (
        "The measuring service of this box is not running.",
        "Nothing is known from before.",
    ),
    "clock": "The clock of this box has not been set: times may be wrong.",
    "lasts": "This box will probably last another {band}.",
    "lasts_unknown": "It is not known how long this box will last.",
    "band": "{low} to {high}",
    "band_from": "{low} at least",
    "band_to": "{high} at most",
    "band_about": "about {high}",
    "band_soon": "less than an hour",
    "charge": "Battery {low} to {high} % full.",
    "first": "First",
    "first_always": [
        (
            "Danger to life: call 112.",
            "No phone works: send somebody to the nearest fire station, police or hospital.",
        ),
    ],
    "first_grid_lost": [
        ("Switch off cooker, iron, heaters.", "They can start a fire when the power returns."),
        (
            "Never use a barbecue or a generator indoors.",
            "The fumes kill. You cannot smell them.",
        ),
        (
            "Knock on your neighbours' doors.",
            "Who is old, ill or alone? Who needs power for a medical device?",
        ),
        ("Save your phone.", "Nearly empty: flight mode on, then only Wi-Fi on."),
        ("Listen to the radio,", "with batteries, a crank, or in a car."),
    ],
    "first_other": [
        ("Listen for announcements:", "radio, loudspeaker vans, warning app."),
        ("Knock on your neighbours' doors.", "Who is old, ill or alone?"),
    ],
    "bulletins": "Bulletins",
    "bulletin_mark": "from the operator of this box, unverified",
    "bulletins_more": "All bulletins ({count})",
    "bulletins_below": "Bulletins: {count}",
    "bulletins_none": "There is no bulletin.",
    "bulletins_unreadable": "This box cannot read its bulletins just now.",
    "back": "Back to the first page",
    "readings": "Measured at this box",
    "readings_none": "This box has no readings just now.",
    "readings_more": "and {count} more",
    "suspect": "doubtful: {value}",
    "unusable": "unusable",
    "quantities": {
        "temperature_c": ("Temperature", "°C", 1),
        "humidity_percent": ("Humidity", "%", 0),
        "pressure_hpa": ("Air pressure", "hPa", 1),
        "pm2_5_ug_m3": ("Fine dust PM2.5", "µg/m³", 1),
        "pm10_ug_m3": ("Fine dust PM10", "µg/m³", 1),
    },
    "measured": "{value}\u00a0{unit}",
    "decimal": ".",
    "faults": "Faults at this box: {count}.",
    "weekdays": (
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ),
    "clock_time": "{hour:02}:{minute:02}",
    "on_weekday": "{weekday}, {time}",
    "on_date": "{year}-{month:02}-{day:02}, {time}",
    "ago": "{duration} ago",
    "just_now": "just now",
    "age_unknown": "time unclear",
    "minutes": ("1 minute", "{count} minutes"),
    "hours": ("1 hour", "{count} hours"),
    "days": ("1 day", "{count} days"),
    "days_left": ("1 day", "{count} days"),
    "as_of": "As of {when}",
    "reload": "Reload",
    "about": "A Kiezbox belongs to the neighbourhood. It measures on ordinary days and informs when"
    " power and internet fail.",
    "never_ask": "We never ask for passwords or money.",
    "data": "Data",
    "stay": ("To keep your phone on this Wi-Fi:", "Stay connected"),
    "slice": "This Wi-Fi saves power: it is on until {when}, then on again at intervals.",
    "shared": "This Wi-Fi has internet just now.",
    "again": "You were away: please tap once more. Otherwise your phone may leave this Wi-Fi.",
    "whole_page": "Read everything",
    "info_link": "Emergency call, help, way back here",
    "connected": (
        "You are connected",
        "Your phone stays on this Wi-Fi. There is no internet here, but there is this page.",
    ),
    "close_ios": ("iPhone, iPad:", "tap “Done” at the top right."),
    "close_ios_word": "Done",
    "close_android": ("Android:", "tap the three dots at the top right, then:"),
    "close_android_word": "Use this network as is",
    "close_ask": "If your phone asks whether to stay connected without internet: yes.",
    "leave": ("Should your phone ask again?", "Do not stay connected"),
    "come_back": "How to come back",
    "come_back_how": "Join the Wi-Fi “{ssid}”. If nothing opens, type into a browser",
    "come_back_how_bare": "Type into a browser",
    "or": "or",
    "qr_page": "This page",
    "qr_wlan": "For neighbours: this Wi-Fi",
    "info": "Emergency call and help",
    "numbers": [
        ("112", "fire brigade, ambulance"),
        ("110", "police (Germany)"),
    ],
    "numbers_how": "Try even without a signal: for an emergency call the phone takes any network it"
    " finds. Switch flight mode off first.",
    "help": "If no phone works",
    "help_where": [
        "Go to the nearest fire station or police, or send somebody.",
        "Go to official help points if any open: look for signs, listen to announcements and"
        " radio.",
        "Ask somebody in the street for help.",
    ],
}  # fmt: skip
