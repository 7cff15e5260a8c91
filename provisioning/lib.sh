# What the numbered steps share; each of them sources this file (POSIX sh, dash on a box).
#
# A step is a file NN-name with two functions, install_step and uninstall_step, and ends with
# `step "$@"`. It may be run alone (provisioning/30-devices install). Every change goes through one
# of the functions here, so that each step says what it does, can be asked what it would do
# (KIEZBOX_DRY_RUN=1), and finds its own work when it comes a second time.
# shellcheck shell=sh

set -eu
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
CHECKOUT=$(dirname -- "$HERE")
DRY_RUN=${KIEZBOX_DRY_RUN:-}
# shellcheck disable=SC2034 # the steps that source this use it
PURGE=${KIEZBOX_PURGE:-}

# The units name these places; a test holds them equal.
PROGRAM=/opt/kiezbox
ETC=/etc/kiezbox
# What an uninstallation must know: which services were switched off, which program is there.
STATE=/var/lib/kiezbox-provisioning

# For a text on its way to its place.
SCRATCH=$(mktemp)
trap 'rm -f -- "$SCRATCH"' EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*"; }
already() { printf '  already  %s\n' "$1"; }
note() { printf '  note     %s\n' "$1"; }

# fail SENTENCE [WHAT-TO-DO]
fail() {
  printf 'kiezbox: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '         %s\n' "$2" >&2
  exit 1
}

# act WHAT COMMAND...: say it and do it; a failure shows what the command said.
act() {
  what=$1
  shift
  if [ -n "$DRY_RUN" ]; then
    printf '  would    %s\n' "$what"
    return 0
  fi
  printf '  now      %s\n' "$what"
  output=$("$@" 2>&1 </dev/null) || fail "could not: $what" "$(printf '%s' "$output" | tail -n 5)"
}

# attempt WHAT COMMAND...: the same for what may fail; then it is said, and the rest goes on.
attempt() {
  what=$1
  shift
  if [ -n "$DRY_RUN" ]; then
    printf '  would    %s\n' "$what"
  elif output=$("$@" 2>&1 </dev/null); then
    printf '  now      %s\n' "$what"
  else
    note "could not: $what: $(printf '%s' "$output" | tail -n 1)"
  fi
}

# is_like FILE MODE OWNER:GROUP
is_like() { [ "$(stat -c '%a %U:%G' "$1" 2>/dev/null)" = "$2 $3" ]; }

# put SOURCE TARGET [MODE [OWNER:GROUP]]: the file stands there as it should. Returns 0 if it had to
# be changed, 1 if not.
put() {
  mode=${3:-644} owner=${4:-root:root}
  if cmp -s "$1" "$2" && is_like "$2" "$mode" "$owner"; then
    already "$2"
    return 1
  fi
  act "write $2" write_file "$1" "$2" "$mode" "$owner"
}

# A rename: whoever loses power here has the old file or the new one.
write_file() {
  install -D -m "$3" -o "${4%:*}" -g "${4#*:}" -- "$1" "$2.kiezbox-new" &&
    mv -- "$2.kiezbox-new" "$2"
}

# put_text TARGET TEXT [MODE [OWNER:GROUP]]. Returns as put does.
put_text() {
  printf '%s\n' "$2" >"$SCRATCH"
  put "$SCRATCH" "$1" "${3:-644}" "${4:-root:root}"
}

# gone PATH: it is not there (any more).
gone() {
  if [ -e "$1" ] || [ -h "$1" ]; then act "remove $1" rm -rf -- "$1"; else already "no $1"; fi
}

BLOCK_BEGIN='# kiezbox: begin (provisioning/install writes this, and takes it away again)'
BLOCK_END='# kiezbox: end'

# without_block FILE: the file's text without ours.
without_block() { sed "/^# kiezbox: begin/,/^# kiezbox: end/d" "$1"; }

# put_block FILE TEXT: the text stands in a block of ours at the end of somebody else's file. Returns
# as put does.
put_block() {
  { without_block "$1"; printf '%s\n%s\n%s\n' "$BLOCK_BEGIN" "$2" "$BLOCK_END"; } >"$SCRATCH"
  put "$SCRATCH" "$1" "$(stat -c %a "$1")" "$(stat -c %U:%G "$1")"
}

# gone_block FILE
gone_block() {
  if grep -q '^# kiezbox: begin' "$1" 2>/dev/null; then
    without_block "$1" >"$SCRATCH"
    put "$SCRATCH" "$1" "$(stat -c %a "$1")" "$(stat -c %U:%G "$1")" || :
  else
    already "nothing of ours in $1"
  fi
}

# remember NAME LINE: one line in a list of ours.
remember() {
  [ -z "$DRY_RUN" ] || return 0
  mkdir -p "$STATE"
  grep -qxF -- "$2" "$STATE/$1" 2>/dev/null || printf '%s\n' "$2" >>"$STATE/$1"
}

remembered() { cat "$STATE/$1" 2>/dev/null || :; }

# Whether systemd runs here; in a chroot or an image that is being built it does not.
is_booted() { [ -d /run/systemd/system ]; }

# The units of this checkout, by name.
units() {
  for unit in "$CHECKOUT"/systemd/kiezbox-*.*; do
    [ -f "$unit" ] && basename -- "$unit"
  done
}

# units_with_a_start: every unit with an [Install] section; a template once for each posture, unless
# it names an instance itself.
units_with_a_start() {
  for unit in $(units); do
    grep -q '^\[Install\]' "$CHECKOUT/systemd/$unit" || continue
    case $unit in
    *@.*)
      if grep -q '^DefaultInstance=' "$CHECKOUT/systemd/$unit"; then
        say "$unit"
      else
        for posture in closed emergency shared dark; do say "${unit%@.*}@$posture.${unit##*.}"; done
      fi
      ;;
    *) say "$unit" ;;
    esac
  done
}

# wanted_units: those of them that this box wants. Without an https name nobody listens on 443.
wanted_units() {
  https_name=$(settings network.certificate.name)
  for unit in $(units_with_a_start); do
    case $unit in
    *-https.socket) [ -z "$https_name" ] || say "$unit" ;;
    *) say "$unit" ;;
    esac
  done
}

# settings NAME...: values of kiezbox.toml, a line each, defaults included; nothing as long as there
# is no program or no file.
settings() {
  [ -x "$PROGRAM/.venv/bin/kiezbox" ] && [ -r "$ETC/kiezbox.toml" ] || return 0
  "$PROGRAM/.venv/bin/kiezbox" settings value "$@" --settings "$ETC/kiezbox.toml" 2>/dev/null || :
}

# step install|uninstall
step() {
  case ${1:-install} in
  install) install_step ;;
  uninstall) uninstall_step ;;
  *) fail "$(basename -- "$0") knows install and uninstall, not $1" ;;
  esac
}
