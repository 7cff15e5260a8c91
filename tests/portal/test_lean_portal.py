"""C halves alone do what the whole modules do, and leave nothing behind that others stumble on."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIMIT_S = 20.0


def alone(program: str) -> str:
    """What the program prints, in a Python that has loaded nothing yet."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sqlite_keeps_its_statements_and_the_whole_module_comes_later() -> None:
    said = alone(
        "import sys\n"
        "from kiezbox.portal.lean import load_sqlite\n"
        # An editable install has loaded it at Python's start.
        "for name in ('functools', '_sqlite3'): sys.modules.pop(name, None)\n"
        "load_sqlite()\n"
        "import _sqlite3\n"
        "assert 'functools' not in sys.modules\n"
        "db = _sqlite3.connect(':memory:', cached_statements=2)\n"
        "for turn in range(3):\n"
        "    for n in range(5): assert db.execute(f'SELECT {n}').fetchone() == (n,)\n"
        "assert db.execute('SELECT ?', (b'x',)).fetchall() == [(b'x',)]\n"
        "import functools, sqlite3\n"
        "assert functools.partial and sqlite3.connect is _sqlite3.connect\n"
        "whole = sqlite3.connect(':memory:')\n"
        "whole.row_factory = sqlite3.Row\n"
        "assert whole.execute('SELECT 1 AS one').fetchone()['one'] == 1\n"
        "print('done')\n"
    )
    assert said == "done\n"


def test_httptools_parses_alone_and_the_whole_module_comes_later() -> None:
    said = alone(
        "import sys\n"
        "from kiezbox.portal.lean import httptools\n"
        "lean = httptools().HttpRequestParser\n"
        "import httptools, typing\n"
        "assert typing.NamedTuple\n"
        "assert httptools.HttpRequestParser is lean\n"
        "class Seen:\n"
        "    def on_url(self, url): print(url)\n"
        "parser = httptools.HttpRequestParser(Seen())\n"
        "parser.feed_data(b'GET /a HTTP/1.1\\r\\nHost: b\\r\\n\\r\\n')\n"
    )
    assert said == "b'/a'\n"


@pytest.mark.parametrize("package", ["httptools"])
def test_a_package_that_is_not_there_is_said_so(package: str) -> None:
    said = alone(
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"
        "from kiezbox.portal.lean import httptools\n"
        "try: httptools()\n"
        "except ImportError as error: print(error.name)\n"
    )
    assert said.startswith(package)
