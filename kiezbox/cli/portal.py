"""Serve the residents' pages of this box.

  kiezbox portal                         as kiezbox.toml says
  kiezbox portal --run-dir DIR --store FILE --listen HOST:PORT [--threads N]
                 [--https HOST:PORT] [--certificate DIR]
                                         without reading it: this is how systemd starts it, because
                                         the first page is on the phone 50 ms sooner

Sockets that systemd hands over (LISTEN_FDS) are used before --listen, and the one that it names
"https" before --https. https is answered only while fullchain.pem and privkey.pem in --certificate
belong together and are valid. The process only reads; it needs no right but to read the run
directory, the store and the certificate.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Option and the name it has here. With the first two of them kiezbox.toml is not needed.
_OPTIONS = {
    "--run-dir": "run_dir",
    "--store": "store_path",
    "--listen": "listen",
    "--threads": "threads",
    "--https": "https",
    "--certificate": "certificate",
    "--joined": "joined_dir",
    "--words": "words_path",
    "--secrets": "secrets_dir",
    "--place": "place_path",
}


def main(argv: list[str]) -> int:
    """``kiezbox portal [--settings FILE]`` or ``… --run-dir DIR --store FILE``."""
    import gc

    # What is loaded now stays; looking through it for what does not costs a tenth of the time to
    # the first page. The responder lets it look again.
    gc.disable()
    options = _plain(argv) or _full(argv)
    from kiezbox.portal.lean import load_sqlite

    load_sqlite()
    from kiezbox.portal.serve import serve

    serve(
        options["listen"],
        run_dir=options["run_dir"],
        store_path=options["store_path"],
        threads=int(options["threads"]),
        https=options.get("https", ""),
        certificate=options.get("certificate", ""),
        joined_dir=options.get("joined_dir", ""),
        words_path=options.get("words_path", ""),
        secrets_dir=options.get("secrets_dir", ""),
        place_path=options.get("place_path", ""),
        clock=options.get("clock"),
    )
    return 0


def _plain(argv: list[str]) -> dict[str, Any] | None:
    """What systemd says, read without argparse (6 ms); None if it is anything else."""
    pairs = zip(argv[::2], argv[1::2], strict=False)
    given = {_OPTIONS.get(name, ""): value for name, value in pairs}
    is_whole = len(argv) == 2 * len(given) and "" not in given
    if not is_whole or not {"run_dir", "store_path"} <= given.keys():
        return None
    options = {"listen": "127.0.0.1:8081", "threads": "2", **given}
    return options if options["threads"] in map(str, range(1, 65)) else None


def _full(argv: list[str]) -> dict[str, Any]:
    from kiezbox.cli._common import Parser, load_settings, open_clock
    from kiezbox.errors import UsageError

    parser = Parser("portal", __doc__)
    parser.add_argument("--run-dir", metavar="DIR", help="where the node writes now.json")
    parser.add_argument("--store", metavar="FILE", dest="store_path", help="the database")
    parser.add_argument("--listen", metavar="HOST:PORT", help="where to serve")
    parser.add_argument("--threads", type=int, metavar="N", help="slow pages at once, 1 to 64")
    parser.add_argument("--https", metavar="HOST:PORT", help="where to serve by https, too")
    parser.add_argument(
        "--certificate", metavar="DIR", help="folder of fullchain.pem and privkey.pem"
    )
    parser.add_argument(
        "--joined", metavar="DIR", dest="joined_dir", help="where dnsmasq's hook says who joined"
    )
    parser.add_argument(
        "--words", metavar="FILE", dest="words_path", help="the log of words (beside the database)"
    )
    parser.add_argument(
        "--secrets", metavar="DIR", dest="secrets_dir", help="where what signs forms is kept"
    )
    parser.add_argument(
        "--place", metavar="FILE", dest="place_path", help="the surroundings (beside the database)"
    )
    arguments = vars(parser.parse_args(argv))
    given = {name: value for name, value in arguments.items() if value is not None}
    if not 1 <= given.get("threads", 1) <= 64:
        raise UsageError("portal: --threads is outside 1 to 64")
    settings = load_settings(given.pop("settings", None))
    return {
        "listen": settings.portal.listen,
        "threads": settings.portal.threads,
        "certificate": settings.network.certificate.folder,
        "joined_dir": f"{settings.network.run_dir}/joined",
        "run_dir": settings.store.run_dir,
        "store_path": settings.store.path,
        "words_path": settings.store.words_path,
        "place_path": settings.place.path(settings.store.path),
        "clock": open_clock(settings),
        **given,
    }
