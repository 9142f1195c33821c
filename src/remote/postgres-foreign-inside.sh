# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Runs an SQL script, read from standard input until its marked end, in a new database beside the live one.
# $1 nonce, $2 application name of this run, $3 SQL that makes the database, $4 its connection string, $5 role that runs
# the script (empty: ourselves), $6 SQL that counts, $7 and $8 first and last line to run, the rest lines to leave out, `from-to`.
nonce=$1 create_sql=$3 database=$4 role=$5 count_sql=$6 first=$7 last=$8
PGAPPNAME=$2
shift 8
directory=$(mktemp -d) || exit 1
finish() {
  code=$?
  trap - EXIT
  [ "$code" = 0 ] || printf '%s stopping\n' "$nonce" >&2
  [ "$code" = 0 ] || end_sessions "$PGAPPNAME"
  rm -rf "$directory"
  printf '%s end %s\n' "$nonce" "$code"
  exit "$code"
}
trap finish EXIT
trap 'exit 143' TERM INT HUP
printf '%s\n' "$@" >"$directory/left-out"
secret=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
{ printf '%s\n' "$create_sql"; [ -z "$role" ] || printf "alter role \"%s\" login password '%s';\n" "$role" "$secret"; } >"$directory/create"
sql -d template1 -f "$directory/create" || exit
awk -v first="$first" -v last="$last" '
  NR == FNR { n = split($0, range, "-"); if (n == 2) { from[++count] = range[1]; to[count] = range[2] } next }
  FNR < first || FNR > last { next }
  { while (at < count && FNR > to[at + 1]) at++ }
  at < count && FNR >= from[at + 1] { next }
  { print }' "$directory/left-out" - >"$directory/script" || exit
(
  [ -z "$role" ] || export PGUSER="$role" PGPASSWORD="$secret"
  # What the script sets itself stands: only what would stop it half way is ours.
  export PGOPTIONS='-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning'
  [ -n "$role" ] || PGOPTIONS=$own_path_options
  sql -d "$database" -f "$directory/script" >/dev/null
) || exit
[ -z "$role" ] || printf 'alter role "%s" nologin password null;\n' "$role" | sql -d template1 || exit
sql -d "$database" -c 'analyze' || exit
printf '%s\n' "$count_sql" >"$directory/count.sql"
sql -d "$database" -f "$directory/count.sql" >"$directory/counts" || exit
sed "s/^/$nonce fact /" "$directory/counts"
