"""The air as a process of its own, as somebody tries it by hand."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest
from radio_air.clients import Plain

pytest.importorskip("meshtastic", reason="the package meshtastic: pip install 'kiezbox[lora]'")

MODULE = "kiezbox.hardware.simulated.meshtastic_serve"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_radio_is_served_until_the_process_is_ended() -> None:
    port = free_port()
    serving = subprocess.Popen(
        [sys.executable, "-m", MODULE, "1", "--port", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        line = serving.stdout.readline()
        with Plain(("127.0.0.1", port)) as plain:
            plain.ask(7)
        serving.send_signal(signal.SIGINT)

        assert serving.wait(20) == 0
        assert line.endswith(f"meshtastic --host 127.0.0.1:{port} --info\n")
    finally:
        serving.kill()
        serving.wait(20)
        assert serving.stdout is not None
        serving.stdout.close()


def test_the_package_is_loaded_by_the_first_radio_and_not_before() -> None:
    code = (
        "import sys, kiezbox.hardware.simulated.meshtastic_air as air, kiezbox.clock as clock;"
        "before = 'meshtastic' in sys.modules;"
        "kiez = air.MeshtasticAir(clock.SystemClock()); kiez.add('north'); kiez.close();"
        "print(before, 'meshtastic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout.split() == ["False", "True"]


def test_without_the_package_it_is_said_what_to_install() -> None:
    code = "import sys; sys.modules['meshtastic'] = None; import runpy;"
    code += (
        f"sys.argv = ['serve', '1', '--port', '0']; runpy.run_module('{MODULE}', None, '__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 7
    assert "pip install 'kiezbox[lora]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_and_not_a_traceback() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", MODULE, "1", "--port", port],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    assert done.returncode != 0
    assert done.stderr.startswith(f"kiezbox: a simulated radio cannot be reached at {port}")
    assert "Traceback" not in done.stderr
