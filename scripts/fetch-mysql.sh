#!/usr/bin/env bash
# Brings MySQL's server for the tests: Debian stable has none, so a small Debian sid with it goes
# into a cache folder that outlives builds. Run again it does nothing. `--help` says how.
set -uo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/fetch-mysql.sh [--refresh] [--help]

Puts a minimal Debian sid with MySQL's server and tools (about 600 MB) into
${USTREAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ustream}/mysql-sid, where the tests look for it.
Nothing is installed into the system. Needs root and debootstrap; running the server needs neither.

  --refresh   fetch it anew, with what sid has today
  -h, --help  this text

Exit code 0 when it is there, 1 when not: then the tests that need it are skipped.
TEXT
}

refresh=no
while (($#)); do
  case "$1" in
    --refresh) refresh=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

cache="${USTREAM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ustream}"
tree="$cache/mysql-sid" partial="$cache/mysql-sid.partial" log="$cache/mysql-sid.log"
debootstrap="$(PATH="$PATH:/usr/sbin:/sbin" command -v debootstrap)"
running=''

complete() { [[ -e "$tree/complete" ]]; }

# Takes a half-made tree away, what a broken off debootstrap has mounted in it first.
remove() {
  local mounted
  while read -r mounted; do
    umount -l "$mounted"
  done < <(awk -v below="$1/" 'index($2, below) == 1 {print $2}' /proc/self/mounts | sort -r)
  rm -rf --one-file-system "$1"
}

stop() {
  trap '' INT TERM
  [[ -n "$running" ]] && kill -TERM -- "-$running" 2>/dev/null && wait "$running"
  remove "$partial"
  exit 130
}

# What is done, every some seconds, while the fetch runs.
show_progress() {
  local last='' line
  while kill -0 "$running" 2>/dev/null; do
    line="$(grep -E '^I: ' "$log" | tail -n 1)"
    [[ "$line" != "$last" ]] && printf '%s  [%s] %s%s\n' "$dim" "$(elapsed)" "${line#I: }" "$plain"
    last="$line"
    sleep 5 &
    wait -n "$running" $! 2>/dev/null
  done
}

# A data directory that each server copies: making one takes ten times as long as starting on it.
# The loader of that Debian runs its programs where they are, without chroot and without root.
make_template() {
  "$partial/usr/lib64/ld-linux-x86-64.so.2" \
    --library-path "$partial/usr/lib/x86_64-linux-gnu:$partial/usr/lib/mysql/private" \
    "$partial/usr/sbin/mysqld" --no-defaults --initialize-insecure --user=root \
    --basedir="$partial/usr" --datadir="$partial/data" --skip-log-bin --innodb-doublewrite=OFF \
    >>"$log" 2>&1 || return 1
  rm -f "$partial/data/auto.cnf"  # the server's UUID: each copy gets its own
  chmod -R a+rX "$partial/data"
}

fetch() {
  remove "$partial"
  set -m  # a process group of its own, so that all of it can be ended
  timeout 1200 "$debootstrap" --variant=minbase --include=mysql-server-core,mysql-client-core \
    sid "$partial" >"$log" 2>&1 </dev/null &
  running=$!
  set +m
  show_progress
  wait "$running" || { tail -n 5 "$log" >&2; remove "$partial"; return 1; }
  running=''
  rm -rf "$partial"/var/cache/apt "$partial"/var/lib/apt/lists "$partial"/usr/share/{doc,man,locale}
  make_template || { tail -n 5 "$log" >&2; remove "$partial"; return 1; }
  touch "$partial/complete"
  remove "$tree"
  mv "$partial" "$tree"
}

if complete && [[ "$refresh" == no ]]; then
  echo "MySQL is there: $tree"
  exit 0
fi
((EUID == 0)) ||
  die "MySQL for the tests is not there, and fetching it needs root: sudo USTREAM_CACHE=$cache $0"
[[ -n "$debootstrap" ]] || die "MySQL for the tests is not there, and fetching it needs debootstrap."
mkdir -p "$cache" || die "Cannot make $cache."
# The tests keep more there, as the user who runs them.
[[ -n "${SUDO_UID:-}" ]] && chown "$SUDO_UID:$SUDO_GID" "$cache"

exec {lock}>"$cache/mysql-sid.lock"
if ! flock -n "$lock"; then
  step "Waiting for another run that fetches MySQL"
  flock -w 1200 "$lock" || die "Another run has been fetching MySQL for 20 minutes; $log says how far."
  complete && exit 0
fi
step "Fetching MySQL from Debian sid (once; some minutes)"
trap stop INT TERM
fetch || die "MySQL could not be fetched; $log says why."
step "MySQL is in $tree"
