"""What the desk says, in the operator's language: German or English, by Accept-Language."""

from __future__ import annotations

__all__ = ["LANGUAGES", "TEXTS", "language_of"]

LANGUAGES = ("de", "en")

TEXTS: dict[str, tuple[str, str]] = {
    "desk": ("Betreiberpult", "Operator's desk"),
    "unclaimed": (
        "Diese Box hat noch niemanden, der sie betreibt.",
        "Nobody operates this box yet.",
    ),
    "how to claim": (
        "Auf der Box selbst (Bildschirm und Tastatur, oder SSH) holt man sich einen Code:",
        "On the box itself (screen and keyboard, or SSH) one gets a code:",
    ),
    "claim": ("Box übernehmen", "Claim this box"),
    "code": ("Code (15 Minuten gültig)", "Code (valid for 15 minutes)"),
    "passphrase": ("Passwortsatz", "Passphrase"),
    "new passphrase": (
        "Neuer Passwortsatz, mindestens 12 Zeichen",
        "New passphrase, at least 12 characters",
    ),
    "again": ("Noch einmal", "Once more"),
    "login": ("Anmelden", "Log in"),
    "logout": ("Abmelden", "Log out"),
    "forgotten": (
        "Vergessen? Ein neuer Code ersetzt den alten Passwortsatz: sudo kiezbox desk claim",
        "Forgotten? A new code replaces the old passphrase: sudo kiezbox desk claim",
    ),
    "status": ("Stand dieser Box", "Status of this box"),
    "reload": ("Neu laden", "Reload"),
    "silent": (
        "Der Knoten läuft nicht: von ihm kommt nichts Neues.",
        "The node does not run: there is no news from it.",
    ),
    # What can be wrong with a form.
    "wrong code": ("Dieser Code stimmt nicht.", "This code is not right."),
    "no code": (
        "Es gibt keinen gültigen Code (mehr). Einen neuen gibt: sudo kiezbox desk claim",
        "There is no valid code (any more). For a new one: sudo kiezbox desk claim",
    ),
    "wrong passphrase": ("Dieser Passwortsatz stimmt nicht.", "This passphrase is not right."),
    "not the same": (
        "Die beiden Eingaben sind nicht gleich.",
        "The two entries are not the same.",
    ),
    "too short": (
        "Der Passwortsatz braucht mindestens 12 Zeichen. Vier Wörter sind leicht zu merken.",
        "The passphrase needs at least 12 characters. Four words are easy to remember.",
    ),
    "too long": ("Höchstens 256 Zeichen.", "At most 256 characters."),
    "too simple": (
        "Zu einfach: mindestens fünf verschiedene Zeichen.",
        "Too simple: at least five different characters.",
    ),
    "too often": (
        "Zu viele Versuche. Bitte in einer Minute noch einmal.",
        "Too many attempts. Please try again in a minute.",
    ),
    "stale form": (
        "Dieses Formular war nicht mehr gültig. Bitte noch einmal.",
        "This form was no longer valid. Please try again.",
    ),
    "nothing here": ("Hier ist nichts.", "There is nothing here."),
    "broken": (
        "Das ging nicht. Was es war, steht im Log der Box.",
        "That did not work. The box's log says why.",
    ),
    # Rows of the status page.
    "box": ("Box", "Box"),
    "mode": ("Modus", "Mode"),
    "grid": ("Stromnetz", "Grid"),
    "battery": ("Batterie", "Battery"),
    "wlan": ("WLAN", "WLAN"),
    "uplink": ("Verbindung nach draußen", "Uplink"),
    "store": ("Speicher", "Store"),
    "fault": ("Störung", "Fault"),
    "since": ("seit", "since"),
    "not sensed": ("wird nicht gemessen", "not sensed"),
    "to go": ("warten", "to go"),
    "guests": ("Gäste", "guests"),
    "none": ("nichts", "none"),
    # Of Kiezbox 2.0, the boxes that others have on their roofs.
    "neighbours": ("Kiezbox 2.0 in Funkreichweite", "Kiezbox 2.0 within reach"),
    "heard": ("gehört am", "heard on"),
    "heard without time": (
        "gehört, bevor diese Box die Uhrzeit kannte",
        "heard before this box knew the time",
    ),
    "button": ("Knopf", "button"),
    "its words": ("Der Wortlaut", "Its words"),
    "distress": ("NOTRUF (Kiezbox 2.0)", "DISTRESS (Kiezbox 2.0)"),
    "distress medical": (
        "medizinisch, oder nicht gesagt, was",
        "medical, or it was not said what",
    ),
    "distress fire": ("Feuer", "fire"),
    "distress crime": ("Verbrechen", "crime"),
    "distress sick": ("krank", "sick"),
    "distress help": ("Hilfe", "help"),
}


def language_of(accept: str) -> str:
    """German or English, whichever the browser names first; German where it names neither.

    >>> language_of("fr, en-GB;q=0.8, de;q=0.5"), language_of("")
    ('en', 'de')
    """
    for part in accept.lower()[:200].split(","):
        found = part.strip()[:2]
        if found in LANGUAGES:
            return found
    return LANGUAGES[0]
