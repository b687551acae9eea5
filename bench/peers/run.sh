#!/usr/bin/env bash
# Measures how fast ustream's peers read a binlog; `bench/peers/run.sh --help` says how.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=../../scripts/lib.sh
source "$here/../../scripts/lib.sh"

usage() {
  cat <<'TEXT'
Usage: bench/peers/run.sh [--quick] [--ours COMMAND] [--peers LIST] [--servers LIST] [--json FILE]
                          [--limit SECONDS] [--build DIR] [--help]

Starts MariaDB, and MySQL with compressed transactions, each in a temporary folder on 127.0.0.1;
inserts 1,000,000 orders, updates 500,000 and deletes 250,000 in three statements; then lets each
peer read it all back from the start and prints wall seconds, CPU seconds and the largest resident
set. The time includes the start of the program. "floor" reads the bytes and decodes nothing.

  --ours COMMAND  measure this too, a command for sh. It has what the peers have in its environment:
                  PEER_URL PEER_HOST PEER_PORT PEER_USER PEER_PASSWORD, PEER_ROWS (end after so many
                  changes), PEER_SERVER (mariadb or mysql), PEER_GTIDS (before the first change),
                  PEER_BINLOGS (a folder with the files bin.0…) and PEER_FOLDER (for its own files).
                  The first file is bin.000001.
  --quick         a fiftieth of the rows: does it work?
  --peers LIST    of floor,java,go,powersync,vlasky,debezium (default: all)
  --servers LIST  of mariadb,mysql (default: both)
  --json FILE     also write the results there
  --limit SECONDS a peer that takes longer is ended (default 600, with --quick before it 60)
  --build DIR     where the peers are built (default: peers in the cache of scripts/fetch-mysql.sh)
  -h, --help      this text

The peers come from their registries, in the versions that their lock files name. It needs g++ and
libmariadb-dev, a JDK 17 and Maven, Go, Node 20 and npm: a peer whose tools are missing is left out.
TEXT
}

cache="${USTREAM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ustream}"
rows=1000000 ours='' json='' limit=600 build="$cache/peers"
peers=floor,java,go,powersync,vlasky,debezium servers=mariadb,mysql
while (($#)); do
  case "$1" in
    --quick) rows=20000 limit=60 ;;
    --ours | --peers | --servers | --json | --limit | --build)
      (($# >= 2)) || { echo "$1 wants a value" >&2; exit 2; }
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

work="$(mktemp -d "${TMPDIR:-/tmp}/ustream-peers-XXXXXX")"
server=''
clean_up() {
  trap '' INT TERM
  [[ -n "$server" ]] && kill -KILL "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ---- Building ----

# build_in FOLDER COMMAND: runs it in the build folder, unless it has been with these sources.
build_in() {
  local folder="$1" command="$2" state
  state="$(cd "$here" && cat "$folder"/* "$folder"/src/main/java/* ./*.js ./*.cpp 2>/dev/null |
    sha256sum)"
  [[ "$(cat "$build/$folder.built" 2>/dev/null)" == "$state" ]] && return 0
  step "Building $folder"
  rm -rf "${build:?}/$folder"
  mkdir -p "$build/$folder"
  cp -r "$here"/*.js "$here"/*.cpp "$build/"
  [[ -d "$here/$folder" ]] && cp -r "$here/$folder/." "$build/$folder/"
  (cd "$build/$folder" && eval "$command") >"$build/$folder.log" 2>&1 || {
    tail -n 5 "$build/$folder.log"
    return 1
  }
  printf '%s\n' "$state" >"$build/$folder.built"
}

have() { command -v "$1" >/dev/null; }

# build_peer NAME: fails when it cannot be built here.
build_peer() {
  local jvm='mvn -q -B compile dependency:copy-dependencies -DoutputDirectory=target/lib'
  case "$1" in
    floor)
      # shellcheck disable=SC2016
      have pkg-config && pkg-config --exists libmariadb &&
        build_in floor 'g++ -O2 -std=c++20 ../floor.cpp -o floor $(pkg-config --cflags --libs libmariadb)'
      ;;
    go) have go && build_in go 'go build -o peer .' ;;
    java | debezium) have mvn && build_in "$1" "$jvm" ;;
    powersync | vlasky) have npm && build_in "$1" 'npm ci --no-audit --no-fund' ;;
    *) die "There is no peer $1." ;;
  esac
}

# command_of NAME: sets `command` to the words that run it.
command_of() {
  case "$1" in
    floor) command=("$build/floor/floor") ;;
    go) command=("$build/go/peer") ;;
    java | debezium) command=(java -cp "$build/$1/target/classes:$build/$1/target/lib/*" Peer) ;;
    powersync) command=(node "$build/powersync/main.js") ;;
    vlasky) command=(node "$build/vlasky/main.mjs") ;;
  esac
}

# ---- The servers ----

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# in_mysql PROGRAM ARGUMENT...: a program of the Debian that scripts/fetch-mysql.sh fetched.
mysql_tree="$cache/mysql-sid"
in_mysql=("$mysql_tree/usr/lib64/ld-linux-x86-64.so.2" --library-path
  "$mysql_tree/usr/lib/x86_64-linux-gnu:$mysql_tree/usr/lib/mysql/private")

sql() { mariadb --no-defaults --user=root --socket="$folder/socket" --skip-column-names "$@"; }

# start_server mariadb|mysql: sets folder, port and server; fails when there is none.
start_server() {
  local words=() as_user=()
  folder="$work/$1" port="$(free_port)"
  ((EUID == 0)) && as_user=(--user=root)
  mkdir -p "$folder"
  case "$1" in
    mariadb)
      have mariadb-install-db || { echo "MariaDB is not installed."; return 1; }
      mariadb-install-db --no-defaults --auth-root-authentication-method=normal --skip-test-db \
        --datadir="$folder/data" "${as_user[@]}" >"$folder/log" 2>&1 || return 1
      words=("$(PATH="$PATH:/usr/sbin" command -v mariadbd)" --no-defaults
        --innodb-log-file-size=512M)
      ;;
    mysql)
      "$ustream_root/scripts/fetch-mysql.sh" || return 1
      cp -r --sparse=always "$mysql_tree/data" "$folder/data"
      words=("${in_mysql[@]}" "$mysql_tree/usr/sbin/mysqld" --no-defaults
        --basedir="$mysql_tree/usr" --mysqlx=OFF --gtid-mode=ON --enforce-gtid-consistency=ON
        --binlog-transaction-compression=ON --secure-file-priv= --innodb-redo-log-capacity=1G)
      ;;
    *) die "There is no server $1." ;;
  esac
  "${words[@]}" "${as_user[@]}" --datadir="$folder/data" --socket="$folder/socket" --port="$port" \
    --pid-file="$folder/pid" --bind-address=127.0.0.1 --server-id=1 --log-bin="$folder/data/bin" \
    --binlog-format=ROW --binlog-row-metadata=FULL --max-binlog-size=1G --sync-binlog=0 \
    --innodb-buffer-pool-size=1G --innodb-flush-log-at-trx-commit=0 --default-time-zone=+00:00 \
    --skip-name-resolve >>"$folder/log" 2>&1 &
  server=$!
  local i
  for ((i = 0; i < 300; ++i)); do
    sql -e 'SELECT 1' >/dev/null 2>&1 && return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 5 "$folder/log"
  return 1
}

stop_server() {
  kill -KILL "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  server=''
  rm -rf "$folder"
}

make_workload() {
  local digits
  if [[ "$1" == mariadb ]]; then
    sql -e "SET sql_log_bin = 0; DELETE FROM mysql.global_priv WHERE User = ''; FLUSH PRIVILEGES"
    digits='SET max_recursive_iterations = 100000000'
    gtids_are='SELECT @@gtid_current_pos'
  else
    digits='SET cte_max_recursion_depth = 100000000'
    gtids_are='SELECT @@gtid_executed'
  fi
  sql <<SQL || return 1
SET sql_log_bin = 0;
CREATE USER peer@'%' IDENTIFIED BY 'peer'; GRANT ALL ON *.* TO peer@'%';
SET sql_log_bin = 1;
CREATE DATABASE bench;
CREATE TABLE bench.orders(id BIGINT UNSIGNED PRIMARY KEY, customer_id INT,
  status ENUM('new','paid','shipped','cancelled'), amount DECIMAL(12,2), note VARCHAR(120),
  qty SMALLINT UNSIGNED, created DATETIME(3), updated TIMESTAMP(6) NULL) CHARACTER SET utf8mb4;
SQL
  gtids="$(sql -e "$gtids_are")"
  sql bench <<SQL || return 1
$digits;
INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)
  SELECT i, i * 7919 % 50000, 1 + i % 4, (i * 37 % 10000000) / 100,
    CONCAT('Order ', i, ': ', LEFT(SHA2(i, 256), i % 64)), i % 1000,
    TIMESTAMP'2024-01-01 00:00:00' + INTERVAL i * 1000 MICROSECOND,
    TIMESTAMP'2024-06-01 00:00:00' + INTERVAL i MICROSECOND FROM n;
UPDATE orders SET status = 'paid', amount = amount + 1,
  updated = updated + INTERVAL 1 DAY WHERE id % 2 = 0;
DELETE FROM orders WHERE id % 4 = 1;
SQL
  # The first login with caching_sha2_password wants TLS or a key; those after it are cached.
  mariadb --no-defaults --user=peer --password=peer --host=127.0.0.1 --port="$port" --ssl \
    -e 'SELECT 1' >/dev/null 2>&1 || true
}

# ---- Measuring ----

# measure NAME SERVER COMMAND...
measure() {
  local name="$1" kind="$2"
  shift 2
  printf '  %-10s ' "$name"
  mkdir -p "$work/own"
  PEER_URL="mysql://peer:peer@127.0.0.1:$port/bench" PEER_HOST=127.0.0.1 PEER_PORT="$port" \
    PEER_USER=peer PEER_PASSWORD=peer PEER_ROWS="$((rows * 7 / 4))" PEER_SERVER="$kind" \
    PEER_GTIDS="$gtids" PEER_BINLOGS="$folder/data" PEER_FOLDER="$work/own" \
    python3 "$here/measure.py" "$limit" "$@" >"$work/result"
  rm -rf "$work/own"
  python3 "$here/report.py" add "$work/results" "$kind" "$name" "$work/result"
}

ready=()
for peer in ${peers//,/ }; do
  if build_peer "$peer"; then
    ready+=("$peer")
  else
    echo "$peer is left out: it cannot be built here."
  fi
done

for kind in ${servers//,/ }; do
  step "Starting $kind"
  start_server "$kind" || { echo "$kind is left out."; continue; }
  python3 "$here/report.py" server "$work/results" "$kind" "$(sql -e 'SELECT VERSION()')"
  step "Writing $((rows * 7 / 4)) changes"
  make_workload "$kind" || die "The workload failed."
  echo "  $(du -ch "$folder"/data/bin.0* | tail -n 1 | cut -f1) of binlog"
  step "Reading them"
  for peer in "${ready[@]}"; do
    command_of "$peer"
    measure "$peer" "$kind" "${command[@]}" 127.0.0.1 "$port" peer peer "$((rows * 7 / 4))"
  done
  [[ -n "$ours" ]] && measure ours "$kind" sh -c "$ours"
  stop_server
done
echo
python3 "$here/report.py" table "$work/results" "$((rows * 7 / 4))" ${json:+"$json"}
