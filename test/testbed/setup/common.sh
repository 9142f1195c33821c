# Shared by script/setup and the testbed's shell programs: where things lie, how to say, fail and start daemons.
# shellcheck shell=bash disable=SC2034
CACHE=${INFRA_ACTIONS_CACHE:-/var/cache/infra-actions}
STATE=${INFRA_ACTIONS_STATE:-/var/lib/infra-actions-testbed}
LABEL=infra-actions.testbed=1
PROJECT=healthcare-backend
SSH_PORT=2222
JUMP_PORT=2223
REGISTRY=127.0.0.1:5000
S3_PORT=7070
S3_BUCKET=backups-testbed
HTTP_PORT=18080
POSTGRES_PORT=15432
REDIS_PORT=16379
TURN_PORT=13478
BASE_DIR=/opt/$PROJECT
SELF=$ROOT/test/testbed
export DEBIAN_FRONTEND=noninteractive
export PATH="$ROOT/node_modules/.bin:$CACHE/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: FAILED: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# need_root: setup installs packages and starts daemons.
need_root() { [ "$(id -u)" = 0 ] || fail "must run as root (run: sudo script/setup)"; }

# logged NAME COMMAND...: runs it with its output in a log; when it fails once more, for most of what is set up comes over the
# network, and then shows the log's end and names it.
logged() {
  local name=$1 log="$STATE/log/$1.log"; shift
  mkdir -p "$STATE/log"
  "$@" >"$log" 2>&1 </dev/null && return 0
  say "$name failed ($(tail -n 1 "$log")), trying it once more"
  sleep 5
  "$@" >>"$log" 2>&1 </dev/null && return 0
  tail -n 25 "$log" >&2
  fail "$name (whole log: $log)"
}

# put FILE: standard input becomes the file, readable by all, at once and only when it differs: tests may be reading it.
put() {
  cat >"$1.new"
  chmod 644 "$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# alive NAME: true while the daemon started under that name lives (pid and its start time must both match).
alive() {
  local pid start
  read -r pid start 2>/dev/null <"$STATE/pid/$1" || return 1
  [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ]
}
# started_at PID: its start time in ticks; nothing for a zombie, which is dead where PID 1 does not reap.
started_at() { cut -d')' -f2- "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

# daemon NAME COMMAND...: starts it detached; its pid file is what `setup down` stops, and nothing else.
daemon() {
  local name=$1 pid; shift
  mkdir -p "$STATE/pid" "$STATE/log"
  # The lock of a running setup must not live on in the daemon.
  setsid "$@" >>"$STATE/log/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(started_at "$pid")" >"$STATE/pid/$name"
}

# stop_daemon NAME: ends it and waits until it is gone.
stop_daemon() {
  local pid n=0
  if alive "$1"; then
    read -r pid _ <"$STATE/pid/$1"
    kill -TERM "$pid"
    while alive "$1" && [ $n -lt 150 ]; do sleep 0.1; n=$((n + 1)); done
    if alive "$1"; then kill -KILL "$pid"; fi
    say "stopped $1"
  fi
  rm -f "$STATE/pid/$1"
}

# wait_for NAME TENTHS COMMAND...: polls until the command succeeds.
wait_for() {
  local name=$1 n=0 max=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    n=$((n + 1))
    [ $n -lt "$max" ] || { tail -n 15 "$STATE/log/$name.log" >&2; fail "$name does not answer (log: $STATE/log/$name.log)"; }
    sleep 0.1
  done
}
