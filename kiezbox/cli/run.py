"""Run the node: measure, store, publish, watch the grid. Ends with SIGTERM or Ctrl-C."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.settings import Settings


def main(argv: list[str]) -> int:
    """``kiezbox run [--settings FILE] [--log LEVEL]``."""
    import signal

    # Not kiezbox.cli._common: argparse and json stay in the memory of a process that runs for
    # months, and this verb's arguments are few.
    path, level = _arguments(argv)
    settings, clock = _settings(path)
    _log_to_journal(level)
    _tell_portal(settings)
    from kiezbox.node.assemble import assemble

    node = assemble(settings, clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: node.stop())
    return node.run()


def _tell_portal(settings: Settings) -> None:
    """The house rules: kiezbox.toml is hidden from the portal, which has its own without them."""
    import logging

    from kiezbox.errors import KiezboxError
    from kiezbox.store.house_rules import write

    try:
        write(settings)
    except KiezboxError as error:
        logging.getLogger("kiezbox.run").warning("house rules: %s", error)


def _arguments(argv: list[str]) -> tuple[str | None, str]:
    from kiezbox.cli._common import Parser

    parser = Parser("run", __doc__)
    parser.add_argument(
        "--log", default="info", choices=("debug", "info", "warning"), help="how much to say"
    )
    arguments = parser.parse_args(argv)
    return arguments.settings, arguments.log


def _settings(path: str | None):  # type: ignore[no-untyped-def]
    from kiezbox.cli._common import load_settings, open_clock

    settings = load_settings(path)
    return settings, open_clock(settings)


def _log_to_journal(level: str) -> None:
    """One line a fact on standard error; under systemd with the level as ``<n>`` (sd-daemon(3))."""
    import logging
    import os
    import sys

    priorities = {
        logging.DEBUG: 7,
        logging.INFO: 6,
        logging.WARNING: 4,
        logging.ERROR: 3,
        logging.CRITICAL: 2,
    }
    is_journal = "JOURNAL_STREAM" in os.environ

    class Line(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            text = super().format(record)
            if not is_journal:
                return text
            prefix = f"<{priorities.get(record.levelno, 6)}>"
            return "\n".join(prefix + line for line in text.splitlines())

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line("%(message)s" if is_journal else "%(asctime)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
