"""nginx serving one static page: how soon anything can."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from benchmarks.lib.contest import BENCH, Skipped

NAME = "nginx"

CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr crit;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  gzip_static {gzip};
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type text/html;
  server {{ listen 127.0.0.1:{port}; root {folder}; index page.html; }}
}}
"""


def command(folder: Path, page: bytes, port: int, zipped: bytes = b"") -> list[str]:
    """What to start so that the page is served on the port, also as ``zipped`` if that is given."""
    program = BENCH / "nginx" / "usr" / "sbin" / "nginx"
    found = str(program) if program.exists() else shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if found is None:
        raise Skipped("not installed: benchmarks/peers.sh")
    (folder / "page.html").write_bytes(page)
    if zipped:
        (folder / "page.html.gz").write_bytes(zipped)
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    gzip = "on" if zipped else "off"
    config.write_text(CONFIG.format(folder=folder, port=port, user=user, gzip=gzip))
    return [found, "-c", str(config), "-e", "stderr", "-p", str(folder)]
