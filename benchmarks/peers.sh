#!/bin/sh
# Install the peers of the benchmarks into .bench/ (peers.txt says which). What cannot be had is
# said and left out: its benchmarks print SKIPPED.
set -u
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
mkdir -p .bench

# What bjoern is built with, unpacked below and not installed.
libev=$PWD/.bench/libev4+libev-dev/usr
libraries=$libev/lib/$(uname -m)-linux-gnu
export C_INCLUDE_PATH="$libev/include" LIBRARY_PATH="$libraries" LDFLAGS="-Wl,-rpath,$libraries"

grep -v '^#' benchmarks/peers.txt | while read -r kind name wanted; do
  case $kind in
  venv)
    # Kiezbox's own needs may have grown.
    done=.bench/$name/.complete
    [ "$name" = kiezbox ] && [ pyproject.toml -nt "$done" ] && rm -f "$done"
    [ -e "$done" ] && continue
    echo "Installing $name into .bench/$name …"
    [ "$name" = kiezbox ] && wanted=".[i2c,serial,pins,mqtt,portal]"
    # shellcheck disable=SC2086 -- several requirements
    # pip as on a box (provisioning/40-program).
    if "$python" -m venv ".bench/$name" &&
      ".bench/$name/bin/python" -m pip --quiet --disable-pip-version-check install --upgrade pip &&
      ".bench/$name/bin/python" -m pip --quiet --disable-pip-version-check install $wanted; then
      # As on a box (provisioning/40-program); others keep what they need.
      [ "$name" != kiezbox ] ||
        ".bench/$name/bin/python" -m pip --quiet uninstall --yes setuptools 2>/dev/null
      touch "$done"
    else
      echo "kiezbox: $name cannot be installed; its benchmarks are skipped"
    fi
    ;;
  deb)
    [ -e ".bench/$name/usr" ] && continue
    command -v apt-get >/dev/null || { echo "kiezbox: no apt-get, so no $name"; continue; }
    echo "Unpacking $name into .bench/$name …"
    mkdir -p ".bench/$name" && (
      # shellcheck disable=SC2046 -- "one+other" is two packages in one place
      cd ".bench/$name" && apt-get -qq download $(echo "$name" | tr + ' ') 2>/dev/null &&
        for deb in ./*.deb; do dpkg -x "$deb" . || exit 1; done && rm -f ./*.deb
    ) || echo "kiezbox: $name cannot be had; its benchmarks are skipped"
    ;;
  system)
    dpkg -s "$name" >/dev/null 2>&1 || echo "kiezbox: for all benchmarks, apt install $name"
    ;;
  esac
done
