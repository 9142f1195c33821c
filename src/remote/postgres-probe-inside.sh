# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Is the server up, does it answer, how full is it? Every question has a limit of its own.
# $1 nonce, $2 limit in seconds, $3 SQL that gives the numbers.
nonce=$1 limit=$2 text=$3
export PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT="$limit" PGOPTIONS="$session_options -c statement_timeout=${limit}s"
probe() {
  name=$1
  shift
  answer=$(timeout -k 1 "$limit" "$@" 2>&1)
  printf '%s %s %s %s\n' "$nonce" "$name" "$?" "$(printf '%s' "$answer" | tr '\n' ' ')"
}
probe ready pg_isready -q -t "$limit"
probe select psql -qAtXw -v ON_ERROR_STOP=1 -d template1 -c 'select 1'
probe facts psql -qAtXw -v ON_ERROR_STOP=1 -d template1 -c "$text"
[ -z "${POSTGRES_DB:-}${POSTGRES_DB_FILE:-}" ] || probe initial printf %s "$PGDATABASE"
printf '%s end 0\n' "$nonce"
