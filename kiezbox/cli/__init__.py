"""The command line: one module per verb in this folder; its docstring is its help.

A verb module holds ``main(argv) -> int``. Only the verb that was asked for is imported: the
portal must be on a phone's screen before all of them would be loaded.
"""

from __future__ import annotations

import sys

__all__ = ["console_script", "main", "run", "verbs"]


def verbs() -> list[str]:
    """The verbs there are: the files of this folder."""
    import pkgutil

    return sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


def main(argv: list[str]) -> int:
    """Run one verb and return the exit code (docs/cli.md lists them)."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if argv else 2
    if argv[0] == "--version":
        argv = ["version"]
    verb = argv[0]
    # A file name and nothing else: "../x" or "cli.run" must not reach the import system.
    if not verb.isidentifier() or verb.startswith("_"):
        return _unknown(verb)
    try:
        module = __import__(f"kiezbox.cli.{verb}", fromlist=["main"])
    except ModuleNotFoundError as error:
        if error.name != f"kiezbox.cli.{verb}":
            raise
        return _unknown(verb)
    code: int = module.main(argv[1:])
    return code


def console_script() -> int:
    """The console script: what was foreseen ends in a sentence, never in a traceback."""
    # Reached by `python3 -m kiezbox` in a checkout, where no installer has looked before.
    if sys.version_info < (3, 11):  # noqa: UP036
        found = ".".join(map(str, sys.version_info[:2]))
        print(f"kiezbox: this is Python {found}, and Kiezbox needs 3.11 or newer", file=sys.stderr)
        return 1
    if sys.stdin is None:
        # Whoever started us has closed it (`<&-`): there is nobody to ask, and nothing to read.
        import os

        sys.stdin = open(os.devnull, encoding="utf-8")
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    except EOFError:
        # Ctrl-D, or a script that asks for what only a person can do.
        print("\nkiezbox: nobody answered, so it stays as it was", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `kiezbox readings export | head`: nobody listens any more, and Python would complain
        # once more while flushing at exit.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        # Where all is well the errors are never loaded: they cost as much as five rooms.
        from kiezbox.errors import KiezboxError

        if not isinstance(error, KiezboxError):
            raise
        print(f"kiezbox: {error}", file=sys.stderr)
        for line in error.hint.splitlines():
            print(f"         {line}", file=sys.stderr)
        return error.exit_code


#: What pyproject.toml starts. The verb of this name takes its place once it is loaded, so whoever
#: calls it from Python says ``console_script``.
run = console_script


def _overview() -> str:
    import ast
    from importlib.util import find_spec

    lines = ["usage: kiezbox VERB [ARGUMENT ...]", ""]
    for verb in verbs():
        spec = find_spec(f"{__name__}.{verb}")
        assert spec is not None and spec.origin is not None
        with open(spec.origin, encoding="utf-8") as source:
            doc = ast.get_docstring(ast.parse(source.read())) or ""
        lines.append(f"  {verb:10} {doc.splitlines()[0] if doc else ''}")
    lines += ["", "`kiezbox VERB --help` explains one of them."]
    return "\n".join(lines)


def _unknown(verb: str) -> int:
    import difflib

    close = difflib.get_close_matches(verb, verbs(), 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    print(f"kiezbox: there is no verb {verb!r}{meant}", file=sys.stderr)
    print(f"         There are: {', '.join(verbs())}.", file=sys.stderr)
    return 2
