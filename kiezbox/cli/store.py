"""Look after the box's memory: facts, backup, check, repair.

  kiezbox store info [--json]    what it holds, and how large it is
  kiezbox store check [--json]   read every page and sector; exit code 5 if something is wrong
  kiezbox store backup FILE      one file with everything, the journal included
  kiezbox store salvage FILE     bring in what can be read of a damaged file put aside
  kiezbox store fold             move the journal into the database (only while the node is off)

All but the last work beside the running node. To restore a backup: stop the node, put the file in
the database's place, remove what is called the same with -wal or -shm at the end, start the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiezbox.errors import UsageError

if TYPE_CHECKING:
    from kiezbox.settings import Settings

_NEEDS_FILE = ("backup", "salvage")


def main(argv: list[str]) -> int:
    """``kiezbox store info|check|backup|salvage|fold``."""
    from kiezbox.cli._common import Parser, load_settings

    parser = Parser("store", __doc__)
    parser.add_argument("action", choices=list(_ACTIONS))
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    if (arguments.file is not None) != (arguments.action in _NEEDS_FILE):
        needs = "a FILE" if arguments.action in _NEEDS_FILE else "no FILE"
        raise UsageError(f"store {arguments.action} needs {needs}")
    settings = load_settings(arguments.settings)
    return _ACTIONS[arguments.action](settings, arguments)


def _info(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import open_clock, print_json
    from kiezbox.store import StoreReader

    with StoreReader(settings.store.path, clock=open_clock(settings)) as store:
        facts = store.info()
    if arguments.json:
        print_json(facts)
        return 0
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, each in value.items():
                print(f"  {key:14} {_shown(each)}")
        else:
            print(f"{name:20} {_shown(value)}")
    return 0


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {each}" for key, each in value.items())
    return str(value)


def _check(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.errors import StoreError
    from kiezbox.store import upkeep

    findings = upkeep.check(settings.store.path)
    if arguments.json:
        print_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            print(f"{'ok   ' if finding.is_ok else 'WRONG'} {finding.what}: {finding.found}")
            if finding.hint:
                print(f"      {finding.hint}")
    return 0 if all(finding.is_ok for finding in findings) else StoreError.exit_code


def _backup(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.store import upkeep

    size = upkeep.backup(settings.store.path, arguments.file)
    if arguments.json:
        print_json({"file": arguments.file, "bytes": size})
    else:
        print(f"{arguments.file}: {size} bytes, complete")
    return 0


def _salvage(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.store import upkeep

    done = upkeep.mend(settings.store.path, arguments.file)
    if arguments.json:
        print_json(done._asdict())
    else:
        print(f"{done.readings} readings that were missing are back")
    return 0


def _fold(settings: Settings, arguments: Any) -> int:
    from kiezbox.cli._common import open_clock, print_json
    from kiezbox.store import Store, StoreReader

    with StoreReader(settings.store.path) as reader:
        waiting = reader.info()["readings_in_journal"]
    # Opening folds what an earlier start has left.
    Store.open(settings.store, settings.box.id, open_clock(settings)).close()
    if arguments.json:
        print_json({"readings": waiting})
    else:
        print(f"{waiting} readings moved from the journal into the database")
    return 0


_ACTIONS = {
    "info": _info,
    "check": _check,
    "backup": _backup,
    "salvage": _salvage,
    "fold": _fold,
}
