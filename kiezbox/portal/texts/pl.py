"""Polish. Not yet checked by a native speaker."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT: dict[str, Any] = {
    "exercise_banner": "ĆWICZENIA · ÜBUNG",
    "exercise_mark": "To nie jest alarm",
    "causes": {
        "grid_lost": (
            "Brak prądu",
            "Na tej stacji zabrakło prądu z sieci. Nie wie ona, czy tylko w tym domu, czy w całej"
            " okolicy.",
        ),
        "operator": ("Tryb awaryjny", "Operator tej stacji włączył tryb awaryjny."),
        "remote_order": ("Tryb awaryjny", "Tryb awaryjny włączono poleceniem z zewnątrz."),
        "official_warning": (
            "Ostrzeżenie urzędowe",
            "Dla tego miejsca obowiązuje ostrzeżenie urzędowe.",
        ),
        "uplink_lost": ("Brak internetu", "Ta stacja straciła połączenie ze światem."),
        "sensor_threshold": (
            "Pomiar za wysoki",
            "Jeden z pomiarów tej stacji przekracza próg alarmowy.",
        ),
    },
    "modes": {
        "emergency": ("Tryb awaryjny", "Ta stacja jest w trybie awaryjnym."),
        "normal": ("Zwykły dzień", "Ta stacja nie zgłasza zagrożenia."),
        "exercise": (
            "Ćwiczenia",
            "Nic się nie stało. Stacja ćwiczy awarię. Przy braku prądu ta strona wygląda"
            " podobnie.",
        ),
        "maintenance": ("Konserwacja", "Trwają prace przy stacji. Nie zgłasza ona zagrożenia."),
        "saving": ("Stacja oszczędza", "Ta stacja nie zgłasza zagrożenia."),
        "dark": ("Bateria prawie pusta", "Ta stacja nie zgłasza zagrożenia."),
        "unknown": ("Sytuacja nieznana", "Ta stacja nie wie teraz, jaka jest sytuacja."),
    },
    "unsure": "Nie zgłoszono zagrożenia",
    "last_known": "Ostatnio: {headline}",
    "saving": (
        "Bateria tej stacji jest słaba.",
        "Stacja oszczędza. Proszę zapisać, co stąd potrzebne.",
    ),
    "dark": (
        "Bateria tej stacji jest prawie pusta.",
        "Stacja zaraz się wyłączy. Proszę zapisać, co stąd potrzebne.",
    ),
    "since": "od {when}",
    "returning": ("Prąd wrócił", "Może jeszcze raz zniknąć. Stacja czeka."),
    "promise": "Gdy zabraknie prądu, tu będzie napisane, co się dzieje i co zrobić najpierw.",
    "grid": {
        "present": "Prąd w sieci jest.",
        "bridging": "Prądu teraz nie ma. Stacja chwilę czeka, czy wróci.",
        "lost": "Na tej stacji zabrakło prądu z sieci.",
        "unknown": "Stacja nie wie teraz, czy w sieci jest prąd.",
    },
    "not_sensed": "Ta stacja sama nie rozpoznaje, czy jest prąd. Tryb awaryjny włącza jej"
    " operator.",
    "silent": (
        "Może to już nieaktualne.",
        "Usługa pomiarowa nie działa. Ostatni stan: {when} ({age}).",
    ),
    "silent_for_ever": (
        "Usługa pomiarowa tej stacji nie działa.",
        "Wcześniejszy stan nie jest znany.",
    ),
    "clock": "Zegar tej stacji nie jest ustawiony: godziny mogą być błędne.",
    "lasts": "Stacja wytrzyma jeszcze zapewne {band}.",
    "lasts_unknown": "Nie wiadomo, jak długo stacja jeszcze wytrzyma.",
    "band": "{low} – {high}",
    "band_from": "co najmniej {low}",
    "band_to": "najwyżej {high}",
    "band_about": "około {high}",
    "band_soon": "mniej niż godzinę",
    "charge": "Bateria naładowana w {low}–{high} %.",
    "first": "Najpierw",
    "first_always": [
        (
            "Zagrożenie życia: dzwonić pod 112.",
            "Telefony nie działają: posłać kogoś do straży pożarnej, na policję lub do szpitala.",
        ),
    ],
    "first_grid_lost": [
        (
            "Wyłączyć kuchenkę, żelazko, grzejniki.",
            "Inaczej po powrocie prądu może wybuchnąć pożar.",
        ),
        (
            "Nigdy nie grillować ani nie włączać agregatu w pomieszczeniu.",
            "Spaliny zabijają. Nie czuć ich.",
        ),
        (
            "Zapukać do sąsiadów.",
            "Kto jest stary, chory lub sam? Kto potrzebuje prądu do sprzętu medycznego?",
        ),
        ("Oszczędzać telefon.", "Prawie pusty: tryb samolotowy, potem włączyć tylko Wi-Fi."),
        ("Słuchać radia,", "na baterie, na korbkę lub w aucie."),
    ],
    "first_other": [
        ("Słuchać komunikatów:", "radio, megafony, aplikacja ostrzegawcza."),
        ("Zapukać do sąsiadów.", "Kto jest stary, chory lub sam?"),
    ],
    "bulletins": "Komunikaty",
    "bulletin_mark": "od operatora tej stacji, niesprawdzone",
    "bulletins_more": "Wszystkie komunikaty ({count})",
    "bulletins_below": "Komunikaty: {count}",
    "bulletins_none": "Nie ma komunikatów.",
    "bulletins_unreadable": "Stacja nie może teraz odczytać komunikatów.",
    "back": "Wróć na pierwszą stronę",
    "readings": "Zmierzono przy tej stacji",
    "readings_none": "Stacja nie ma teraz pomiarów.",
    "readings_more": "i jeszcze {count}",
    "suspect": "wątpliwe: {value}",
    "unusable": "nieprzydatne",
    "quantities": {
        "temperature_c": ("Temperatura", "°C", 1),
        "humidity_percent": ("Wilgotność", "%", 0),
        "pressure_hpa": ("Ciśnienie", "hPa", 1),
        "pm2_5_ug_m3": ("Pył PM2.5", "µg/m³", 1),
        "pm10_ug_m3": ("Pył PM10", "µg/m³", 1),
    },
    "measured": "{value}\u00a0{unit}",
    "decimal": ",",
    "faults": "Usterki tej stacji: {count}.",
    "weekdays": (
        "poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela",
    ),
    "clock_time": "{hour:02}:{minute:02}",
    "on_weekday": "{time} ({weekday})",
    "on_date": "{time}, {day}.{month:02}.{year}",
    "ago": "{duration} temu",
    "just_now": "przed chwilą",
    "age_unknown": "czas niejasny",
    "minutes": ("{count} min",),
    "hours": ("{count} godz.",),
    "days": ("1 dzień", "{count} dni"),
    "days_left": ("1 dzień", "{count} dni"),
    "as_of": "Stan: {when}",
    "reload": "Odśwież",
    "about": "Kiezbox należy do sąsiedztwa. Na co dzień mierzy, a gdy zabraknie prądu i internetu,"
    " informuje.",
    "never_ask": "Nigdy nie pytamy o hasła ani pieniądze.",
    "data": "Dane",
    "stay": ("Aby telefon tu został:", "Pozostań w sieci"),
    "slice": "Ta sieć Wi-Fi oszczędza prąd: teraz działa do {when}, potem znów z przerwami.",
    "shared": "W tej sieci Wi-Fi działa teraz internet.",
    "again": "Nie było Państwa: proszę dotknąć jeszcze raz. Inaczej telefon może opuścić tę sieć.",
    "whole_page": "Czytaj całość",
    "info_link": "Numer alarmowy, pomoc, powrót tutaj",
    "connected": (
        "Połączono",
        "Telefon zostaje w tej sieci Wi-Fi. Internetu tu nie ma, ale jest ta strona.",
    ),
    "close_ios": ("iPhone, iPad:", "dotknąć „Gotowe” u góry po prawej."),
    "close_ios_word": "Gotowe",
    "close_android": ("Android:", "dotknąć trzech kropek u góry po prawej, potem:"),
    "close_android_word": "Używaj tej sieci tak jak jest",
    "close_ask": "Gdy telefon zapyta, czy zostać bez internetu: tak.",
    "leave": ("Czy telefon ma znów pytać?", "Nie pozostawaj w sieci"),
    "come_back": "Jak tu wrócić",
    "come_back_how": "Połączyć się z Wi-Fi „{ssid}”. Jeśli nic się nie otworzy, wpisać w"
    " przeglądarce",
    "come_back_how_bare": "Wpisać w przeglądarce",
    "or": "lub",
    "qr_page": "Ta strona",
    "qr_wlan": "Dla sąsiadów: ta sieć Wi-Fi",
    "info": "Numer alarmowy i pomoc",
    "numbers": [("112", "straż pożarna, pogotowie"), ("110", "policja (Niemcy)")],
    "numbers_how": "Próbować także bez zasięgu: do połączenia alarmowego telefon bierze każdą sieć."
    " Najpierw wyłączyć tryb samolotowy.",
    "help": "Gdy żaden telefon nie działa",
    "help_where": [
        "Iść do najbliższej straży pożarnej lub na policję albo kogoś posłać.",
        "Iść do urzędowych punktów pomocy, jeśli są otwarte: szukać znaków, słuchać komunikatów i"
        " radia.",
        "Poprosić o pomoc kogoś na ulicy.",
    ],
}  # fmt: skip
