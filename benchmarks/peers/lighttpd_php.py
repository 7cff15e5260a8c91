"""lighttpd with php-cgi and SQLite: what a ready-made portal would run on."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.lib.contest import BENCH, Skipped
from benchmarks.lib.letters import shim

NAME = "lighttpd + php-cgi + SQLite"

PAGE = """<?php
$db = new PDO("sqlite:%s");
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$db->exec("PRAGMA busy_timeout = 30000");
if ($_SERVER["REQUEST_METHOD"] === "POST") {
  $put = $db->prepare("INSERT INTO messages (topic, text) VALUES (?, ?)");
  $put->execute([$_POST["topic"], $_POST["text"]]);
  echo "<p>Gespeichert.";
} else {
  $db->exec("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, topic INT, text TEXT)");
  echo "<form method=post><textarea name=text></textarea><button>Senden</button></form>";
}
"""

CONFIG = """\
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 1000000
server.max-connections = 600
server.max-fds = 2048
server.modules = ("mod_rewrite", "mod_fastcgi")
url.rewrite-once = (".*" => "/index.php")
fastcgi.server = (".php" => ((
  "bin-path" => "{php} -n -d extension_dir={extensions} -d extension=pdo -d extension=pdo_sqlite",
  "socket" => "{folder}/php.socket",
  "max-procs" => 2,
  "bin-environment" => (
    "PHP_FCGI_CHILDREN" => "0", "PHP_FCGI_MAX_REQUESTS" => "1000000", "LD_PRELOAD" => "{preload}",
  ),
  "bin-copy-environment" => ("SLOW_FLUSH_MS", "PATH"),
)))
"""

COUNT = "SELECT count(*), count(DISTINCT text) FROM messages"


def command(folder: Path, port: int) -> list[str]:
    """What to start so that it serves on the port; the messages are in folder/messages.db."""
    unpacked = BENCH / "php8.2-cgi+php8.2-common+php8.2-sqlite3"
    php = next(iter(unpacked.glob("usr/bin/php-cgi*")), None)
    extensions = next(iter(unpacked.glob("usr/lib/php/2*")), None)
    server = BENCH / "lighttpd" / "usr" / "sbin" / "lighttpd"
    found = str(server) if server.exists() else shutil.which("lighttpd", path="/usr/sbin:/usr/bin")
    if php is None or extensions is None or found is None:
        raise Skipped("not installed: benchmarks/peers.sh")
    (folder / "index.php").write_text(PAGE % (folder / "messages.db"))
    config = folder / "lighttpd.conf"
    # PHP loads its extensions so that nothing stands before the C library (RTLD_DEEPBIND): unless
    # SQLite is there already, its flushes would be quick.
    config.write_text(
        CONFIG.format(
            folder=folder, port=port, php=php, extensions=extensions,
            preload=f"{shim()} libsqlite3.so.0",
        )
    )  # fmt: skip
    modules = server.parents[1] / "lib" / "lighttpd"
    return [found, "-D", "-f", str(config), *(["-m", str(modules)] if modules.exists() else [])]
