"""Pages that are made from the code, so that they cannot drift: ``python tests/pages.py``."""

from __future__ import annotations

import ast
from pathlib import Path

from records_page import records_page

from kiezbox import cli, errors
from kiezbox.cli import settings as settings_verb

ROOT = Path(__file__).resolve().parent.parent

CLI_HEAD = """# The command line

Made from the code by `python tests/pages.py`; a test holds it equal. `kiezbox VERB --help` shows
the options. Where facts are printed, `--json` prints them for programs. `--settings FILE` (or
`$KIEZBOX_SETTINGS`) names the settings file; without, it is `/etc/kiezbox/kiezbox.toml`.
"""


def cli_page() -> str:
    """docs/cli.md: every verb with its docstring, every exit code."""
    parts = [CLI_HEAD]
    for verb in cli.verbs():
        source = (ROOT / "kiezbox" / "cli" / f"{verb}.py").read_text(encoding="utf-8")
        first, _, rest = (ast.get_docstring(ast.parse(source)) or "").partition("\n")
        parts.append(f"## kiezbox {verb}\n\n{first}\n")
        if rest.strip():
            body = rest.strip("\n")
            parts.append(f"```\n{body}\n```\n")
    parts.append("## Exit codes\n\n| code | meaning |\n|---|---|\n| 0 | done |")
    codes: dict[int, list[str]] = {}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.KiezboxError):
            codes.setdefault(kind.exit_code, []).append((kind.__doc__ or "").splitlines()[0])
    meanings = {1: ["something else that was foreseen; `check`: a warning"]}
    for code in sorted(codes):
        parts.append(f"| {code} | {' / '.join(meanings.get(code, codes[code][:1]))} |")
    parts.append("| 70 | the node lost a vital worker; systemd starts it again |")
    parts.append("| 130 | ended with Ctrl-C |")
    return "\n".join(parts) + "\n"


#: Page: how it is made.
PAGES = {
    "docs/cli.md": cli_page,
    "docs/settings.md": settings_verb.reference,
    "docs/kiezbox.example.toml": settings_verb.example,
    "docs/records.md": records_page,
}


if __name__ == "__main__":
    for page, make in PAGES.items():
        (ROOT / page).write_text(make(), encoding="utf-8")
        print(page)
