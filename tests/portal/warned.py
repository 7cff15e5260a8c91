"""Official warnings in a box's log, as its node puts them there: signed by the box's own key."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from kiezbox.clock import SystemClock
from kiezbox.store.box_key import own_key
from kiezbox.store.log import Draft, Log
from kiezbox.trust import Trust, sign

BOX, HOUR = "kb-musterplatz-1", 3600

TEXTS = {
    "de": {
        "headline": "Hochwasser am Mühlbach",
        "event": "Hochwasser",
        "instruction": "Gehen Sie nicht in Keller.\nSchalten Sie dort den Strom ab.",
        "description": "Der Bach steigt bis heute Abend.",
        "contact": "Bürgertelefon",
    },
    "tr": {"headline": "Sel uyarısı", "instruction": "Bodruma girmeyin."},
    "ar": {"headline": "تحذير من الفيضانات", "instruction": "لا تدخلوا الأقبية."},
}


def fields(number: int, now: float, **changes: Any) -> dict[str, Any]:
    texts = changes.pop("texts", TEXTS)
    said = {
        "source": "nina", "identifier": f"mow.XX-{number:04}", "sent_at": int(now - HOUR),
        "message_type": "Alert", "severity": "Severe", "urgency": "Immediate",
        "certainty": "Likely", "event": "Hochwasser", "issuer": "Leitstelle Musterland",
        "areas": "Musterstadt", "texts": json.dumps(texts, ensure_ascii=False),
        "category": "Met", "event_codes": "BBK-EVC-038", "fetched_at": int(now - 300),
        "fetched_from": "warnung.example",
    }  # fmt: skip
    return {**said, **changes}


def warn(folder: Path, number: int, **changes: Any) -> str:
    """One warning into the log below ``folder``; its id as in paths."""
    words, clock, now = folder / "words" / "words.db", SystemClock(), time.time()
    key = own_key(str(folder / "kiezbox.db"), str(words), BOX)
    log = Log.open(str(words), clock, box=BOX, judge=Trust((), clock, own=key.public).judge)
    signed = sign("warning", fields(number, now, **changes), key, lifetime_s=7 * 86400)
    (added,) = log.add(Draft(**signed._asdict()))
    log.close()
    return f"{added.ref.origin}.{added.ref.sequence}"


def warn_of_everything(folder: Path) -> None:
    """One of each sort that the pages know: it holds, all clear, a drill, over, and a last look."""
    now = int(time.time())
    warn(folder, 1)
    warn(folder, 2, message_type="Cancel", is_all_clear=1,
         texts={"de": {"headline": "Entwarnung: Rauch über dem Gewerbegebiet",
                       "instruction": "Sie können die Fenster wieder öffnen."}})  # fmt: skip
    warn(folder, 3, is_exercise=1, texts={"de": {"headline": "Probewarnung"}})
    warn(folder, 4, ends_at=now - 60, severity="Minor", texts={"de": {"headline": "Windböen"}})
    look = {"version": 1, "checked_at": now - 7300.5, "host": "warnung.example", "listed": []}
    (folder / "source-nina.json").write_text(json.dumps(look), encoding="utf-8")
