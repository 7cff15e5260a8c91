"""Romanian. Not yet checked by a native speaker."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT: dict[str, Any] = {
    "exercise_banner": "EXERCIȚIU · ÜBUNG",
    "exercise_mark": "Nu este o urgență",
    "causes": {
        "grid_lost": (
            "Pană de curent",
            "La această stație s-a întrerupt curentul. Nu știe dacă doar în această casă sau în"
            " toată zona.",
        ),
        "operator": ("Regim de urgență", "Operatorul stației a pornit regimul de urgență."),
        "remote_order": (
            "Regim de urgență",
            "Regimul de urgență a fost pornit printr-un ordin din afară.",
        ),
        "official_warning": (
            "Avertizare oficială",
            "Pentru acest loc există o avertizare oficială.",
        ),
        "uplink_lost": ("Fără internet", "Stația a pierdut legătura cu exteriorul."),
        "sensor_threshold": (
            "Valoare prea mare",
            "O valoare măsurată de stație depășește pragul de alarmă.",
        ),
    },
    "modes": {
        "emergency": ("Regim de urgență", "Stația este în regim de urgență."),
        "normal": ("O zi obișnuită", "Stația nu anunță nicio urgență."),
        "exercise": (
            "Exercițiu",
            "Nu s-a întâmplat nimic. Stația exersează urgența. La o pană de curent pagina arată"
            " asemănător.",
        ),
        "maintenance": ("Întreținere", "Se lucrează la stație. Nu anunță nicio urgență."),
        "saving": ("Stația economisește", "Stația nu anunță nicio urgență."),
        "dark": ("Baterie aproape goală", "Stația nu anunță nicio urgență."),
        "unknown": ("Situație necunoscută", "Stația nu știe acum care este situația."),
    },
    "unsure": "Nicio urgență anunțată",
    "last_known": "Ultima știre: {headline}",
    "saving": (
        "Bateria stației este slabă.",
        "Stația economisește. Notați ce vă trebuie de aici.",
    ),
    "dark": (
        "Bateria stației este aproape goală.",
        "Se va opri curând. Notați ce vă trebuie de aici.",
    ),
    "since": "de la {when}",
    "returning": ("Curentul a revenit", "Se poate întrerupe din nou. Stația așteaptă."),
    "promise": "Dacă se ia curentul, aici scrie ce se întâmplă și ce puteți face mai întâi.",
    "grid": {
        "present": "Curent este.",
        "bridging": "Acum nu este curent. Stația așteaptă puțin să revină.",
        "lost": "La această stație s-a întrerupt curentul.",
        "unknown": "Stația nu știe acum dacă este curent.",
    },
    "not_sensed": "Stația nu poate vedea singură dacă este curent. Operatorul ei pornește regimul"
    " de urgență.",
    "silent": (
        "Poate nu mai este așa.",
        "Serviciul de măsurare nu funcționează. Ultima știre: {when} ({age}).",
    ),
    "silent_for_ever": (
        "Serviciul de măsurare al stației nu funcționează.",
        "Nu se știe nimic dinainte.",
    ),
    "clock": "Ceasul stației nu este potrivit: orele pot fi greșite.",
    "lasts": "Stația mai ține probabil {band}.",
    "lasts_unknown": "Nu se știe cât mai ține stația.",
    "band": "{low} – {high}",
    "band_from": "cel puțin {low}",
    "band_to": "cel mult {high}",
    "band_about": "cam {high}",
    "band_soon": "mai puțin de o oră",
    "charge": "Baterie încărcată {low}–{high} %.",
    "first": "Mai întâi",
    "first_always": [
        (
            "Pericol de moarte: sunați la 112.",
            "Nu merge niciun telefon: trimiteți pe cineva la pompieri, la poliție sau la spital.",
        ),
    ],
    "first_grid_lost": [
        (
            "Opriți aragazul electric, fierul de călcat, radiatoarele.",
            "Altfel poate lua foc când revine curentul.",
        ),
        (
            "Niciodată grătar sau generator în casă.",
            "Gazele ucid. Nu se simt la miros.",
        ),
        (
            "Bateți la vecini.",
            "Cine e bătrân, bolnav sau singur? Cine are nevoie de curent pentru un aparat medical?",
        ),
        ("Cruțați telefonul.", "Aproape gol: mod avion, apoi doar Wi-Fi."),
        ("Ascultați radioul,", "cu baterii, cu manivelă sau în mașină."),
    ],
    "first_other": [
        ("Fiți atenți la anunțuri:", "radio, megafoane, aplicația de avertizare."),
        ("Bateți la vecini.", "Cine e bătrân, bolnav sau singur?"),
    ],
    "bulletins": "Anunțuri",
    "bulletin_mark": "de la operatorul stației, neverificat",
    "bulletins_more": "Toate anunțurile ({count})",
    "bulletins_below": "Anunțuri: {count}",
    "bulletins_none": "Nu există anunțuri.",
    "bulletins_unreadable": "Stația nu poate citi acum anunțurile.",
    "back": "Înapoi la prima pagină",
    "readings": "Măsurat la această stație",
    "readings_none": "Stația nu are acum valori măsurate.",
    "readings_more": "și încă {count}",
    "suspect": "îndoielnic: {value}",
    "unusable": "inutilizabil",
    "quantities": {
        "temperature_c": ("Temperatură", "°C", 1),
        "humidity_percent": ("Umiditate", "%", 0),
        "pressure_hpa": ("Presiune", "hPa", 1),
        "pm2_5_ug_m3": ("Praf fin PM2.5", "µg/m³", 1),
        "pm10_ug_m3": ("Praf fin PM10", "µg/m³", 1),
    },
    "measured": "{value}\u00a0{unit}",
    "decimal": ",",
    "faults": "Defecțiuni ale stației: {count}.",
    "weekdays": ("luni", "marți", "miercuri", "joi", "vineri", "sâmbătă", "duminică"),
    "clock_time": "{hour:02}:{minute:02}",
    "on_weekday": "{weekday}, {time}",
    "on_date": "{day}.{month}.{year}, {time}",
    "ago": "acum {duration}",
    "just_now": "chiar acum",
    "age_unknown": "timp neclar",
    "minutes": ("{count} min",),
    "hours": ("o oră", "{count} h"),
    "days": ("o zi", "{count} zile"),
    "days_left": ("o zi", "{count} zile"),
    "as_of": "La ora: {when}",
    "reload": "Reîncărcați",
    "about": "O Kiezbox aparține vecinilor. În zile obișnuite măsoară, iar fără curent și internet"
    " informează.",
    "never_ask": "Nu cerem niciodată parole sau bani.",
    "data": "Date",
    "stay": ("Ca telefonul să rămână aici:", "Rămâneți conectat"),
    "slice": "Acest Wi-Fi economisește curent: acum este pornit până la {when}, apoi din nou, cu"
    " pauze.",
    "shared": "Acest Wi-Fi are acum internet.",
    "again": "Ați lipsit: atingeți încă o dată. Altfel telefonul poate părăsi acest Wi-Fi.",
    "whole_page": "Citiți tot",
    "info_link": "Apel de urgență, ajutor, drumul înapoi aici",
    "connected": (
        "Sunteți conectat",
        "Telefonul rămâne în acest Wi-Fi. Internet nu este aici, dar este această pagină.",
    ),
    "close_ios": ("iPhone, iPad:", "atingeți „Gata” în dreapta sus."),
    "close_ios_word": "Gata",
    "close_android": ("Android:", "atingeți cele trei puncte din dreapta sus, apoi:"),
    "close_android_word": "Utilizați această rețea în starea actuală",
    "close_ask": "Dacă telefonul întreabă dacă rămâne conectat fără internet: da.",
    "leave": ("Telefonul să întrebe din nou?", "Nu mai rămâneți conectat"),
    "come_back": "Cum reveniți aici",
    "come_back_how": "Conectați-vă la Wi-Fi „{ssid}”. Dacă nu se deschide nimic, scrieți în"
    " browser",
    "come_back_how_bare": "Scrieți în browser",
    "or": "sau",
    "qr_page": "Această pagină",
    "qr_wlan": "Pentru vecini: acest Wi-Fi",
    "info": "Apel de urgență și ajutor",
    "numbers": [("112", "pompieri, ambulanță"), ("110", "poliție (Germania)")],
    "numbers_how": "Încercați și fără semnal: pentru un apel de urgență telefonul ia orice rețea"
    " găsește. Opriți întâi modul avion.",
    "help": "Dacă nu merge niciun telefon",
    "help_where": [
        "Mergeți la cei mai apropiați pompieri sau la poliție ori trimiteți pe cineva.",
        "Mergeți la punctele oficiale de ajutor, dacă se deschid: urmăriți indicatoarele,"
        " anunțurile și radioul.",
        "Cereți ajutor cuiva pe stradă.",
    ],
}  # fmt: skip
