"""Goals a7: a year of one-minute readings of ten quantities: asked, taken out, and weighed."""

from __future__ import annotations

import hashlib
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.lib import archive
from benchmarks.lib.contest import BENCH, ROOT, Options, Outcome, Run, Skipped, interleave, say

BARE = "bare SQLite query on the same tier"
BARER = "the same without names"
SQLITE_CSV = "sqlite3 -csv, the same columns"
SQLITE_PLAIN = "sqlite3 -csv, SELECT * FROM readings"

DAY_MS, TEN_MINUTES_MS = 86_400_000, 600_000
#: Each question is asked so often in a run; the median counts.
ASKED = 15
#: What is exported, ours and theirs: two months.
EXPORTED_MINUTES = 60 * 1440
#: Enough to weigh in a quick run.
QUICK_MINUTES = 28 * 1440
LIMIT_S = 300.0

_SAME_COLUMNS = """
SELECT 'kb-bench' AS box, serial >> 36 AS boot, serial & 68719476735 AS counter, sensor, quantity,
       unit, value, raw,
       CASE flag WHEN 0 THEN 'good' WHEN 1 THEN 'suspect' ELSE 'bad' END AS flag, reason,
       strftime('%Y-%m-%dT%H:%M:%fZ', taken_ms / 1000.0, 'unixepoch') AS taken_at,
       CASE clock_trusted WHEN 1 THEN 'trusted' ELSE 'untrusted' END AS clock, taken_ms,
       monotonic_ms
FROM readings JOIN series ON series.id = readings.series
"""


def measure(options: Options) -> Outcome:
    """The database is made once and kept; what decides how it looks makes it anew."""
    outcome = Outcome(
        "archive",
        f"{archive.MINUTES * 10 / 1e6:.1f} million readings: random walks in the steps of the"
        " sensors' converters, one in 200 flagged, grown old by the store's own steps. A question"
        f" is the median of {ASKED}, opening the database included, and answers with the same rows."
        f" csv: {EXPORTED_MINUTES * 10 / 1e6:.1f} million readings, process and all, into a file."
        " All times are CPU time, which others on the machine move least.",
        reference=(BARE, "last_day_ms"),
    )
    with tempfile.TemporaryDirectory(prefix="kiezbox-archive-") as name:
        folder = Path(name)
        if options.is_quick:
            database = folder / "kiezbox.db"
            count = archive.make(database, QUICK_MINUTES)
            outcome.notes.append(
                f"quick: weighed {QUICK_MINUTES // 1440} days, of which 8 are not packed yet"
            )
            outcome.runs["kiezbox"] = [{"packed_bytes_per_reading": _packed_bytes(database)}]
            return outcome
        database, count = _kept()
        rows = _as_rows(folder)
        interleave(
            outcome,
            {
                "kiezbox": lambda: {
                    "bytes_per_reading": database.stat().st_size / count,
                    "packed_bytes_per_reading": _packed_bytes(database),
                    **_questions(lambda since, width: _ours(database, since, width)),
                    "csv_readings_per_s": _export(folder, database),
                },
                BARE: lambda: _questions(lambda since, width: _bare(database, since, width)),
                BARER: lambda: _questions(lambda since, width: _barer(database, since, width)),
                SQLITE_CSV: lambda: _sqlite_csv(folder, rows, _SAME_COLUMNS),
                SQLITE_PLAIN: lambda: _sqlite_csv(folder, rows, "SELECT * FROM readings"),
            },
            options,
        )
    return outcome


#: What decides how the year's database looks.
_MAKERS = ("benchmarks/lib/archive.py", "kiezbox/store/blocks.py", "kiezbox/store/tiers.py",
           "kiezbox/store/schema.py")  # fmt: skip


def _kept() -> tuple[Path, int]:
    """The database and its journal, which every reader looks at as well."""
    BENCH.mkdir(exist_ok=True)
    code = b"".join((ROOT / name).read_bytes() for name in _MAKERS)
    folder = BENCH / f"archive-{hashlib.sha256(code).hexdigest()[:12]}"
    target = folder / "kiezbox.db"
    if not folder.exists():
        for old in BENCH.glob("archive-*"):
            shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=BENCH) as name:
            archive.make(Path(name) / "kiezbox.db")
            shutil.copytree(name, folder)
    return target, archive.MINUTES * len(archive.QUANTITIES)


def _packed_bytes(database: Path) -> float:
    """Bytes of a block's body for each reading in it: counted, so the same on every machine."""
    db = sqlite3.connect(database)
    size, readings = db.execute("SELECT sum(length(body)), sum(readings) FROM blocks").fetchone()
    db.close()
    return float(size / readings)


# --- questions -----------------------------------------------------------------------------------


def _questions(ask: Callable[[int, int], int]) -> Run:
    now_ms = archive.STARTS_S * 1000 + archive.MINUTES * 60_000
    day = _median_ms(lambda: ask(now_ms - DAY_MS, TEN_MINUTES_MS), 10 * 144)
    year = _median_ms(lambda: ask(now_ms - 365 * DAY_MS, DAY_MS), 10 * 365)
    return {"last_day_ms": day, "year_of_days_ms": year}


def _median_ms(ask: Callable[[], int], wanted: int) -> float:
    times = []
    for _ in range(ASKED):
        begun = time.process_time()
        found = ask()
        times.append((time.process_time() - begun) * 1000)
        if not wanted <= found <= wanted + 10:
            raise RuntimeError(f"{found} rows and not {wanted}: no figure")
    return statistics.median(times)


def _ours(database: Path, since_ms: int, width_ms: int) -> int:
    from kiezbox.store import StoreReader

    with StoreReader(str(database)) as store:
        return sum(map(len, store.spans(since_ms, width_ms).values()))


def _bare(database: Path, since_ms: int, width_ms: int) -> int:
    """Names and all, as somebody would ask who knows the tables."""
    tier = {TEN_MINUTES_MS: 1, DAY_MS: 3}[width_ms]
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    rows = db.execute(
        "SELECT sensor, quantity, ((tiers.id >> 24) & 4294967295) * ? AS starts_s, mean, least,"
        " most, good FROM tiers JOIN series ON series.id = tiers.id & 16777215"
        " WHERE tiers.id >= ? AND tiers.id < ? AND good > 0 ORDER BY tiers.id",
        (width_ms // 1000, tier << 56 | since_ms // width_ms << 24, (tier + 1) << 56),
    ).fetchall()
    db.close()
    return len(rows)


def _barer(database: Path, since_ms: int, width_ms: int) -> int:
    """Nothing but the numbers of the tier: what no program could show to anybody."""
    tier = {TEN_MINUTES_MS: 1, DAY_MS: 3}[width_ms]
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    rows = db.execute(
        "SELECT id, mean, least, most, good FROM tiers WHERE id >= ? AND id < ? AND good > 0"
        " ORDER BY id",
        (tier << 56 | since_ms // width_ms << 24, (tier + 1) << 56),
    ).fetchall()
    db.close()
    return len(rows)


# --- taking it out -------------------------------------------------------------------------------


def _as_rows(folder: Path) -> Path:
    """The same readings as plain rows, for sqlite3."""
    path = folder / "rows.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute(
        "CREATE TABLE series (id INTEGER PRIMARY KEY, sensor TEXT, quantity TEXT, unit TEXT)"
    )
    db.execute(
        "CREATE TABLE readings (serial INTEGER PRIMARY KEY, series INTEGER, taken_ms INTEGER,"
        " monotonic_ms INTEGER, value REAL, raw REAL, flag INTEGER, reason TEXT,"
        " clock_trusted INTEGER)"
    )
    names = [(n, sensor, name, "u") for n, (sensor, name, *_) in enumerate(archive.QUANTITIES)]
    db.executemany("INSERT INTO series VALUES (?, ?, ?, ?)", names)
    for week in archive.weeks(EXPORTED_MINUTES):
        db.executemany(
            "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            archive.rows(week, 1, list(range(len(names)))),
        )
    db.commit()
    db.close()
    return path


def _export(folder: Path, database: Path) -> float:
    toml, out = folder / "kiezbox.toml", folder / "ours.csv"
    toml.write_text(f'[box]\nid = "kb-bench"\n[store]\npath = "{database}"\n')
    out.unlink(missing_ok=True)
    until = archive.STARTS_S + 60 * EXPORTED_MINUTES
    command = [sys.executable, "-m", "kiezbox", "readings", "export", "--settings", str(toml)]
    command += ["--format", "csv", "--until", str(until), "--output", str(out)]
    return _rate(command, out)


def _sqlite_csv(folder: Path, rows: Path, question: str) -> Run:
    if shutil.which("sqlite3") is None:
        raise Skipped("sqlite3 is not installed")
    out = folder / "theirs.csv"
    script = f".headers on\n.mode csv\n.output {out}\n{question};\n"
    return {"csv_readings_per_s": _rate(["sqlite3", str(rows)], out, script)}


def _rate(command: list[str], out: Path, script: str = "") -> float:
    begun_s = _children_s()
    done = subprocess.run(command, input=script, text=True, capture_output=True, timeout=LIMIT_S)
    took_s = _children_s() - begun_s
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr}")
    with out.open("rb") as file:
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    wanted = EXPORTED_MINUTES * len(archive.QUANTITIES)
    if not wanted <= lines - 1 <= wanted + 10:
        raise RuntimeError(f"{lines - 1} readings and not {wanted}: no figure")
    say(f"archive: {command[0]}: {lines} lines in {took_s:.1f} s of CPU")
    return wanted / took_s


def _children_s() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
