"""What the first page says, in German and English. Step 3 moves this into catalogues.

Every language has the same keys and the same ``{placeholders}``; a test compares them. A pair is
what is set in bold and what follows. Only what is true of every box may stand here: it is read by
somebody who is cold and afraid, and acts on it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The languages of the first page, and the path each has.
PATHS = {"de": "/", "en": "/en"}

#: Where all bulletins stand at full length.
BULLETINS_PATHS = {"de": "/mitteilungen", "en": "/en/bulletins"}

DE: dict[str, Any] = {
    "other": ("en", "English"),
    "exercise_banner": "ÜBUNG · EXERCISE",
    "exercise_mark": "Kein Notfall",
    # What has happened: headline, sentence.
    "causes": {
        "grid_lost": (
            "Stromausfall",
            "An dieser Box ist das Stromnetz ausgefallen. Ob es nur dieses Haus oder die ganze"
            " Gegend trifft, weiß sie nicht.",
        ),
        "operator": (
            "Notfallbetrieb",
            "Der Betreiber dieser Box hat den Notfallbetrieb eingeschaltet.",
        ),
        "remote_order": (
            "Notfallbetrieb",
            "Eine Anordnung von außen hat den Notfallbetrieb dieser Box eingeschaltet.",
        ),
        "official_warning": (
            "Amtliche Warnung",
            "Für diesen Ort gibt es eine amtliche Warnung.",
        ),
        "uplink_lost": (
            "Kein Internet",
            "Diese Box hat keine Verbindung mehr nach draußen.",
        ),
        "sensor_threshold": (
            "Messwert zu hoch",
            "Ein Messwert dieser Box liegt über der Alarmgrenze.",
        ),
    },
    "modes": {
        "emergency": ("Notfallbetrieb", "Diese Box ist im Notfallbetrieb."),
        "normal": ("Ein gewöhnlicher Tag", "Diese Box meldet keinen Notfall."),
        "exercise": (
            "Übung",
            "Es ist nichts passiert. Diese Box übt den Notfall. So"
            " ähnlich sieht diese Seite bei einem Stromausfall aus.",
        ),
        "maintenance": ("Wartung", "An dieser Box wird gearbeitet. Sie meldet keinen Notfall."),
        "saving": ("Box spart Strom", "Diese Box meldet keinen Notfall."),
        "dark": ("Box fast leer", "Diese Box meldet keinen Notfall."),
        "unknown": ("Lage unbekannt", "Diese Box weiß gerade nicht, wie die Lage ist."),
    },
    "unsure": "Kein Notfall gemeldet",
    "last_known": "Zuletzt: {headline}",
    "saving": (
        "Der Akku dieser Box ist schwach.",
        "Sie spart Strom. Schreiben Sie auf, was Sie von hier brauchen.",
    ),
    "dark": (
        "Der Akku dieser Box ist fast leer.",
        "Sie geht gleich aus. Schreiben Sie auf, was Sie von hier brauchen.",
    ),
    "since": "seit {when}",
    "returning": (
        "Der Strom ist wieder da",
        "Er kann noch einmal ausfallen. Die Box wartet das ab.",
    ),
    "promise": "Fällt der Strom aus, steht hier, was los ist und was Sie zuerst tun können.",
    "grid": {
        "present": "Das Stromnetz ist da.",
        "bridging": "Der Strom ist gerade weg. Die Box wartet kurz ab, ob er wiederkommt.",
        "lost": "An dieser Box ist das Stromnetz ausgefallen.",
        "unknown": "Ob das Stromnetz da ist, weiß diese Box gerade nicht.",
    },
    "not_sensed": "Diese Box kann nicht selbst erkennen, ob der Strom da ist. Den Notfallbetrieb"
    " schaltet ihr Betreiber ein.",
    "silent": (
        "Das ist vielleicht nicht mehr so.",
        "Der Messdienst dieser Box läuft nicht. Letzter Stand: {when} ({age}).",
    ),
    "silent_for_ever": (
        "Der Messdienst dieser Box läuft nicht.",
        "Ein letzter Stand ist nicht bekannt.",
    ),
    "clock": "Die Uhr dieser Box ist nicht gestellt: Zeiten können falsch sein.",
    # How long the box lasts.
    "lasts": "Diese Box hält wohl noch {band}.",
    "lasts_unknown": "Wie lange diese Box noch läuft, ist nicht bekannt.",
    "band": "{low} bis {high}",
    "band_from": "mindestens {low}",
    "band_to": "höchstens {high}",
    "band_about": "etwa {high}",
    "band_soon": "weniger als eine Stunde",
    "charge": "Akku {low} bis {high} % voll.",
    # What to do first.
    "first": "Zuerst",
    "first_always": [
        (
            "Lebensgefahr: 112 anrufen.",
            "Geht kein Telefon: jemanden zur nächsten Feuerwache, Polizei oder Klinik schicken.",
        ),
    ],
    "first_grid_lost": [
        ("Herd, Bügeleisen, Heizlüfter aus.", "Sonst kann es brennen, wenn der Strom wiederkommt."),
        (
            "Nie drinnen grillen oder ein Stromaggregat laufen lassen.",
            "Das Abgas tötet. Man riecht es nicht.",
        ),
        (
            "Bei Nachbarn klopfen.",
            "Wer ist alt, krank oder allein? Wer braucht Strom für ein medizinisches Gerät?",
        ),
        ("Handy schonen.", "Fast leer: Flugmodus an, dann nur WLAN an."),
        ("Radio hören,", "mit Batterie, Kurbel oder im Auto."),
    ],
    "first_other": [
        ("Auf Durchsagen achten:", "Radio, Lautsprecherwagen, Warn-App."),
        ("Bei Nachbarn klopfen.", "Wer ist alt, krank oder allein?"),
    ],
    # Bulletins.
    "bulletins": "Mitteilungen",
    "bulletin_mark": "vom Betreiber dieser Box, ungeprüft",
    "bulletins_more": "Alle Mitteilungen ({count})",
    "bulletins_below": "Mitteilungen: {count}",
    "bulletins_none": "Es gibt keine Mitteilung.",
    "bulletins_unreadable": "Mitteilungen kann diese Box gerade nicht lesen.",
    "back": "Zurück zur ersten Seite",
    # Readings.
    "readings": "Gemessen an dieser Box",
    "readings_none": "Diese Box hat gerade keine Messwerte.",
    "readings_more": "und {count} weitere",
    "suspect": "fraglich: {value}",
    "unusable": "unbrauchbar",
    "quantities": {
        "temperature_c": ("Temperatur", "°C", 1),
        "humidity_percent": ("Luftfeuchte", "%", 0),
        "pressure_hpa": ("Luftdruck", "hPa", 1),
        "pm2_5_ug_m3": ("Feinstaub PM2,5", "µg/m³", 1),
        "pm10_ug_m3": ("Feinstaub PM10", "µg/m³", 1),
    },
    "decimal": ",",
    "faults": "Störungen an dieser Box: {count}.",
    # Times.
    "weekdays": (
        "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag",
    ),
    "clock_time": "{hour:02}:{minute:02} Uhr",
    "on_weekday": "{weekday}, {time}",
    "on_date": "{day}.{month}.{year}, {time}",
    "ago": "vor {duration}",
    "just_now": "gerade eben",
    "age_unknown": "Zeit unklar",
    "minutes": ("1 Minute", "{count} Minuten"),
    "hours": ("1 Stunde", "{count} Stunden"),
    "days": ("1 Tag", "{count} Tagen"),
    "days_left": ("1 Tag", "{count} Tage"),
    # The foot of the page.
    "as_of": "Stand: {when}",
    "reload": "Neu laden",
    "about": "Eine Kiezbox gehört der Nachbarschaft. Sie misst im Alltag und informiert, wenn"
    " Strom und Internet ausfallen.",
    "never_ask": "Wir fragen nie nach Passwörtern oder Geld.",
    "data": "Daten",
}  # fmt: skip

EN: dict[str, Any] = {
    "other": ("de", "Deutsch"),
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
}  # fmt: skip

TEXTS: dict[str, dict[str, Any]] = {"de": DE, "en": EN}
