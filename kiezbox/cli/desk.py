"""The operator's pages: become the operator of this box, or serve the pages.

  sudo kiezbox desk claim   a code, valid for 15 minutes and once, and where to type it in
  kiezbox desk serve        the pages; systemd starts it so (kiezbox-desk.socket)

There is no default password. Whoever may be root on the box gets a code, sets a passphrase with it,
and logs in with that from then on; a new code replaces a forgotten one.
"""

from __future__ import annotations


def main(argv: list[str]) -> int:
    """``kiezbox desk claim|serve``."""
    from kiezbox.cli._common import Parser, load_settings
    from kiezbox.errors import MissingPackage
    from kiezbox.settings import DeskSettings, StoreSettings

    parser = Parser("desk", __doc__)
    parser.add_argument("action", choices=("claim", "serve"))
    parser.add_argument("--listen", metavar="HOST:PORT", help="where to serve")
    parser.add_argument(
        "--defaults",
        action="store_true",
        help="without kiezbox.toml, which may hold passwords: so systemd starts it",
    )
    parser.add_argument("--json", action="store_true", help="for programs (claim)")
    arguments = parser.parse_args(argv)
    desk, store = DeskSettings(), StoreSettings()
    if not arguments.defaults:
        settings = load_settings(arguments.settings)
        desk, store = settings.desk, settings.store
    listen = arguments.listen or desk.listen
    if arguments.action == "claim":
        return _claim(desk.run_dir, desk.state_dir, listen, is_json=arguments.json)
    try:
        from kiezbox.desk.app import create_app
        from kiezbox.desk.serve import listen as sockets
        from kiezbox.desk.serve import serve
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"the desk needs the package {error.name}", hint="pip install 'kiezbox[desk]'"
        ) from error
    serve(create_app(store.run_dir, desk.run_dir, desk.state_dir), sockets(listen))
    return 0


def _claim(run_dir: str, state_dir: str, listen: str, *, is_json: bool) -> int:
    from kiezbox.cli._common import print_json
    from kiezbox.clock import SystemClock
    from kiezbox.desk.vault import CODE_VALID_S, Vault

    vault = Vault(run_dir, state_dir, SystemClock())
    was_claimed = vault.is_claimed()
    code = vault.new_code()
    host, _, port = listen.rpartition(":")
    address = f"http://{host}:{port}/claim"
    if is_json:
        print_json({"code": code, "valid_s": CODE_VALID_S, "address": address})
        return 0
    print(f"The code is    {code}")
    print(f"Type it in at  {address}    within {CODE_VALID_S / 60:.0f} minutes")
    if host in ("127.0.0.1", "[::1]", "localhost"):
        print(f"From another computer: ssh -L {port}:{host}:{port} USER@THIS-BOX, then the same")
    if was_claimed:
        print("This box has an operator already; the code replaces that passphrase.")
    return 0
