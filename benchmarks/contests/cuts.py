"""Goal r1: what was confirmed survives a power cut. The bed and its model: tests/beds/crashfs."""

from __future__ import annotations

from benchmarks.lib.contest import Options, Outcome, Skipped

#: Cuts: quick, normal, long.
AMOUNTS = {"quick": 300, "normal": 2_000, "long": 10_000}


def measure(options: Options) -> Outcome:
    """The same harness as in the tests, and its controls in the same run."""
    from beds.crashfs import cuts
    from beds.crashfs.mount import Unavailable

    size = "quick" if options.is_quick else "long" if options.is_long else "normal"
    outcome = Outcome(
        "cuts",
        "The node's store on a file system that loses what was not synced; every cut in a counted"
        " operation of a process that is killed inside it. The controls run the same with"
        " SQLite's synchronous=NORMAL, with libeatmydata, and on a disk that lies; they must lose.",
    )
    try:
        seen = cuts.measure(AMOUNTS[size], seed=options.seed)
    except Unavailable as error:
        raise Skipped(str(error)) from error
    for name, tally in {"kiezbox": seen, **seen["controls"]}.items():
        figures = ("cuts", "cuts_while_opening", "confirmed", "losses", "broken")
        outcome.runs[name] = [{figure: tally[figure] for figure in figures}]
    for name in seen["controls_missing"]:
        outcome.skipped[name] = "not installed: apt install eatmydata"
    outcome.notes += [f"{seen['cuts'] / seen['seconds']:.0f} cuts a second", *seen["problems"][:5]]
    return outcome
