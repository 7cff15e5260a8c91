"""A box without TLS does not carry OpenSSL, and one that needs it later still gets all of it."""

from __future__ import annotations

import subprocess
import sys

LIMIT_S = 30


def say(program: str) -> str:
    """What a fresh interpreter prints: this one has long imported everything."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_node_that_publishes_in_the_clear_does_not_load_openssl() -> None:
    loaded = say(
        "import sys\n"
        "from kiezbox.publishers._lean import import_paho\n"
        "import kiezbox.publishers.mqtt, kiezbox.node.assemble\n"
        "import_paho(needs_tls=False)\n"
        "import kiezbox.publishers._connection\n"
        "print(sorted({'_ssl', '_hashlib', 'paho.mqtt.client'} & set(sys.modules)))"
    )

    assert loaded == "['paho.mqtt.client']"


def test_a_second_publisher_with_tls_finds_all_of_it() -> None:
    found = say(
        "from kiezbox.publishers._lean import import_paho\n"
        "import_paho(needs_tls=False)\n"
        "client = import_paho(needs_tls=True)\n"
        "c = client.Client(client.CallbackAPIVersion.VERSION2)\n"
        "c.tls_set()\n"
        "print(c._ssl)"
    )

    assert found == "True"


def test_what_paho_imported_half_blind_is_whole_for_everybody_else() -> None:
    found = say(
        "from kiezbox.publishers._lean import import_paho\n"
        "import_paho(needs_tls=False)\n"
        "import hashlib, ssl, urllib.request\n"
        "print(hasattr(hashlib, 'scrypt'), hasattr(urllib.request, 'HTTPSHandler'))"
    )

    assert found == "True True"


def test_a_node_with_tls_gets_it_from_the_start() -> None:
    found = say(
        "from kiezbox.publishers._lean import import_paho\n"
        "client = import_paho(needs_tls=True)\n"
        "import ssl\n"
        "print(client.ssl is ssl)"
    )

    assert found == "True"
