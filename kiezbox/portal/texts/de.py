"""German: the language the others are translated from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT: dict[str, Any] = {
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
    "measured": "{value}\u00a0{unit}",
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
    # The emergency WLAN: stay, time slices, and the page of somebody who is asked again.
    "stay": ("Damit Ihr Handy hier bleibt:", "Verbunden bleiben"),
    "slice": "Dieses WLAN spart Strom: jetzt ist es bis {when} an, danach in Abständen wieder.",
    "shared": "Über dieses WLAN geht gerade auch das Internet.",
    "again": "Sie waren weg: bitte noch einmal tippen. Sonst verlässt Ihr Handy vielleicht"
    " dieses WLAN.",
    "whole_page": "Alles lesen",
    "info_link": "Notruf, Hilfe, Weg zurück hierher",
    # After "stay connected".
    "connected": (
        "Sie sind verbunden",
        "Ihr Handy bleibt in diesem WLAN. Internet gibt es hier nicht, aber diese Seite.",
    ),
    "close_ios": ("iPhone, iPad:", "oben rechts auf „Fertig“ tippen."),
    "close_ios_word": "Fertig",
    "close_android": ("Android:", "oben rechts auf die drei Punkte tippen, dann auf:"),
    "close_android_word": "Netzwerk im Istzustand verwenden",
    "close_ask": "Fragt Ihr Handy, ob es ohne Internet verbunden bleiben soll: Ja.",
    "leave": ("Soll Ihr Handy wieder fragen?", "Nicht mehr verbunden bleiben"),
    # How to come back here.
    "come_back": "So kommen Sie zurück",
    "come_back_how": "Mit dem WLAN „{ssid}“ verbinden. Öffnet sich nichts: im Browser eintippen",
    "come_back_how_bare": "Im Browser eintippen",
    "or": "oder",
    "qr_page": "Diese Seite",
    "qr_wlan": "Für Nachbarn: dieses WLAN",
    # Emergency numbers, and where help is.
    "info": "Notruf und Hilfe",
    "numbers": [
        ("112", "Feuerwehr, Rettungsdienst"),
        ("110", "Polizei"),
    ],
    "numbers_how": "Auch ohne Netz versuchen: Für den Notruf nimmt das Handy jedes Netz, das es"
    " findet. Flugmodus vorher aus.",
    "help": "Wenn kein Telefon geht",
    "help_where": [
        "Zur nächsten Feuerwache oder Polizei gehen oder jemanden schicken.",
        "Zu amtlichen Anlaufstellen gehen, wenn welche öffnen: auf Schilder, Durchsagen und"
        " Radio achten.",
        "Jemanden auf der Straße um Hilfe bitten.",
    ],
}  # fmt: skip
