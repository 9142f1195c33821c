# shellcheck shell=sh disable=SC2034 # what is set here is for the scripts that follow
# First part of every script that runs inside a Postgres container, or beside it: how we log in, and the settings that no
# ALTER DATABASE or ALTER ROLE may change for us. Everything after it may use `sql`, `guard` and `$session_options`.
set -u
umask 077
export LC_ALL=C
from_file() { if [ -z "$1" ] && [ -n "$2" ]; then cat "$2"; else printf '%s' "$1"; fi; }
PGUSER=$(from_file "${POSTGRES_USER:-}" "${POSTGRES_USER_FILE:-}")
PGPASSWORD=$(from_file "${POSTGRES_PASSWORD:-}" "${POSTGRES_PASSWORD_FILE:-}")
PGDATABASE=$(from_file "${POSTGRES_DB:-}" "${POSTGRES_DB_FILE:-}")
PGUSER=${PGUSER:-postgres}
PGDATABASE=${PGDATABASE:-$PGUSER}
PGCONNECT_TIMEOUT=10
PGAPPNAME=infra-actions
unset PGHOST PGHOSTADDR PGSERVICE PGSERVICEFILE PGSSLMODE PGCLIENTENCODING PGTZ PGDATESTYLE
# Beside it: where that very server answers, on the loopback interface, of which nobody else sees anything.
if [ -n "${place_server:-}" ]; then
  export PGHOST=127.0.0.1 PGPORT="${place_server%% *}" PGSSLMODE=disable PGGSSENCMODE=disable
fi
session_options='-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0'
session_options="$session_options -c row_security=off -c default_transaction_read_only=off"
session_options="$session_options -c lc_messages=C -c client_min_messages=warning"
session_options="$session_options -c standard_conforming_strings=on -c role=none"
server_major=$(psql -V | sed 's/[^0-9]*\([0-9]*\).*/\1/')
# Servers before 17 refuse a connection that names it.
[ "$server_major" -lt 17 ] || session_options="$session_options -c transaction_timeout=0"
# A session whose client is gone ends, whatever it is at.
[ "$server_major" -lt 14 ] || session_options="$session_options -c client_connection_check_interval=5s"
# What the database itself says stands for queries that its owner wrote, and for nothing of ours.
own_path_options=$session_options
session_options="$session_options -c search_path=pg_catalog"
PGOPTIONS=$session_options
export PGUSER PGPASSWORD PGDATABASE PGCONNECT_TIMEOUT PGAPPNAME PGOPTIONS

# A process that is left behind falls to process 1, which is the postmaster; when it then ends with another code than 0
# or 1, the postmaster takes it for a crashed session and throws everybody out. So: whatever is started is waited for.
sql() { PGCLIENTENCODING=UTF8 psql -qAtXw -v ON_ERROR_STOP=1 "$@"; }

# The server that answers: its port, its cluster, when it started.
which_server() {
  sql -d template1 -c "select current_setting('port'), system_identifier, extract(epoch from pg_postmaster_start_time())
    from pg_control_system()" -F ' '
}

# The caller holds our standard input open for as long as it lives and writes nothing more to it. When that ends, by
# whatever death, we end too: a `docker exec` that is cut off leaves its process running otherwise.
guard() {
  main=$$
  exec 5<&0 </dev/null
  { read -r _ <&5; kill -TERM "$main"; } >/dev/null 2>&1 &
  watcher=$!
  exec 5<&-
}

# Stops the watcher, and waits for it.
unguard() {
  [ -n "${watcher:-}" ] || return 0
  kill "$watcher" 2>/dev/null
  wait "$watcher" 2>/dev/null
  watcher=''
}

# How many tables at once: as many as there are processors, from 2 to 8.
table_jobs() {
  processors=$(nproc 2>/dev/null || echo 2)
  if [ "$processors" -lt 2 ]; then processors=2; elif [ "$processors" -gt 8 ]; then processors=8; fi
  echo "$processors"
}

# Ends every server process of an application name, also those whose client is gone already.
end_sessions() {
  # No answer: the server itself has ended, and its sessions with it.
  printf "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '%s';\n" "$1" |
    PGAPPNAME=infra-actions-end sql -d template1 >/dev/null 2>&1 || :
}

# guarded NONCE PROGRAM ARG...: runs it until it ends or our caller goes; its code stands on a marked line of standard error.
guarded() {
  mark=$1
  shift
  guard
  "$@" </dev/null &
  program=$!
  trap 'kill "$program" 2>/dev/null' TERM INT HUP
  wait "$program"
  code=$?
  # The second time for the code of one that a signal made us stop; the first wait ended with the signal's own.
  [ "$code" -le 128 ] || wait "$program" 2>/dev/null
  unguard
  printf '%s end %s\n' "$mark" "$code" >&2
  exit "$code"
}
