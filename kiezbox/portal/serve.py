"""The portal process: sockets in, the responder on them, what takes long and what writes aside.

The first page must be on a phone's screen as soon as the process runs: whatever it does not need is
imported when somebody asks for it.
"""

from __future__ import annotations

import _signal
import _socket
import os
import sys
import time

from kiezbox.i18n import language_of
from kiezbox.portal import answers
from kiezbox.portal.answered import takes_gzip
from kiezbox.portal.forms import Forms, kept_secret
from kiezbox.portal.guests import Guests
from kiezbox.portal.official import stands_on
from kiezbox.portal.request import request_parser
from kiezbox.portal.responder import Responder
from kiezbox.portal.sight import Sight
from kiezbox.portal.sockets import HTTPS, inherited, listen, refusal
from kiezbox.portal.visit import Door, SecretDoor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from kiezbox.clock import Clock
    from kiezbox.portal.answered import Answer
    from kiezbox.portal.request import Request
    from kiezbox.store.log import Log

__all__ = ["serve"]


class Contents:
    """What there is to say: ``prepared.Contents`` over ``answers``."""

    def __init__(self, sight: Sight, guests: Guests, forms: Forms) -> None:
        self._sight, self._guests, self._forms = sight, guests, forms

    def answer(self, request: Request) -> Answer:
        return answers.answer(request, self._sight, self._guests, self._forms)

    def own(self, path: str) -> Callable[[str], bytes]:
        return answers.own(path, self._guests, self._forms)

    def told(self, request: Request, name: str) -> Hashable:
        value = request.headers.get(name, "")
        if name == "accept-language":
            return language_of(value)
        return takes_gzip(value) if name == "accept-encoding" else value

    def version(self) -> Hashable:
        return self._sight.version()

    def standing(self) -> Hashable:
        return stands_on(self._sight)


def serve(
    address: str,
    *,
    run_dir: str,
    store_path: str,
    https: str = "",
    certificate: str = "",
    joined_dir: str = "",
    words_path: str = "",
    secrets_dir: str = "",
    place_path: str = "",
    threads: int = 2,
    clock: Clock | None = None,
) -> None:
    """Answer until told to end (SIGTERM, Ctrl-C). systemd's sockets go before addresses.

    ``certificate`` is the folder of fullchain.pem and privkey.pem; only with one there is https.
    ``joined_dir`` is that of ``Guests``. ``words_path`` is the log of words, ``secrets_dir`` where
    what signs forms is kept from one process to the next, ``place_path`` the surroundings.

    Raises:
        KiezboxError: there is nothing to listen on, or httptools is not installed.
    """
    try:
        request_parser()
    except ImportError as error:
        raise refusal(
            f"httptools is not installed: {error}", hint="pip install 'kiezbox[portal]'"
        ) from error
    given = inherited()
    plain = [listener for name, listener in given if name != HTTPS] or [listen(address)]
    secret = [listener for name, listener in given if name == HTTPS]
    if https and certificate and not secret:
        secret = [listen(https, "--https")]
    sight = Sight(run_dir, store_path, clock, words_path, place_path)
    forms = Forms(kept_secret(secrets_dir) if secrets_dir else None)
    guests = Guests(joined_dir=joined_dir) if joined_dir else Guests()
    doors = [Door(listener) for listener in plain]
    if certificate:
        now = clock.now if clock else time.time
        doors += [SecretDoor(listener, certificate, now) for listener in secret]
    responder = Responder(doors, Contents(sight, guests, forms))

    def make(request: Request) -> Answer:
        return answers.behind(request.path, request.headers, sight)

    def open_log() -> Log:
        from kiezbox.clock import SystemClock
        from kiezbox.store.log import Log

        return Log.open(sight.shown.path, clock or SystemClock())

    def call_in() -> None:
        from kiezbox.portal.behind import Behind
        from kiezbox.portal.mailroom import Mailroom

        responder.behind = Behind(responder, make, threads=threads)
        responder.mailroom = Mailroom(responder, open_log)

    responder.call_in = call_in
    for signal in (_signal.SIGTERM, _signal.SIGINT):
        _signal.signal(signal, lambda *_: responder.stop())
    _tell_systemd("READY=1")
    for listener in plain:
        _say("http", listener)
    for listener in secret if certificate else []:
        _say("https", listener)
    try:
        responder.run()
    finally:
        if responder.behind is not None:
            responder.behind.close()
        responder.close()


def _say(scheme: str, listener: _socket.socket) -> None:
    host, port, *_ = listener.getsockname()
    shown = f"[{host}]" if ":" in host else host
    print(f"kiezbox portal: {scheme}://{shown}:{port}/", file=sys.stderr, flush=True)


def _tell_systemd(text: str) -> None:
    """sd_notify(3), if somebody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    to_systemd = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        to_systemd.sendto(text.encode(), address)
    except OSError:
        # It restarts just now; it will see that we answer.
        pass
    finally:
        to_systemd.close()
