# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Runs an SQL script, read from standard input until its marked end, in a new database beside the live one.
# $1 nonce, $2 application name of this run, $3 SQL that makes the database, $4 its connection string, $5 role that runs
# the script (empty: ourselves), $6 SQL that counts, $7 and $8 first and last line to run, the rest lines `WHAT FROM TO`:
# `out` to leave out, `copy` of a COPY whose rows follow, `end` of a statement that ends there.
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
printf '%s\n' "$@" >"$directory/plan"
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
secret=$(random)
{ printf '%s\n' "$create_sql"; [ -z "$role" ] || printf "alter role \"%s\" login password '%s';\n" "$role" "$secret"; } >"$directory/create"
sql -d template1 -f "$directory/create" || exit
# As ourselves it runs as it is. A role that is to be held to its rights gets no script: psql would run `\!`, and `\connect`
# as anybody whom the socket trusts. Its SQL is a constant, in quotes that nobody can guess, which psql sends to the server as
# it is (`\gexec`); only rows stand open, behind a COPY that can be nothing else. No other line is `\.`, which ends rows.
# That holds whatever the lines of the plan say.
tag=''
[ -z "$role" ] || tag="\$ia$(random)\$"
tr -d '\000' | awk -v first="$first" -v last="$last" -v tag="$tag" '
  function begin() { if (tag != "" && !begun) { print "select " tag; begun = 1 } }
  function finish() { if (begun) { print tag " \\gexec"; begun = 0 } }
  function is_copy(text) {
    name = "([^][\\\\\"'"'"'(),;.:/ \t\r\n-]+|\"([^\"]|\"\")+\")"
    return text ~ ("^[Cc][Oo][Pp][Yy] " name "([.]" name ")? *([(](" name "(, ?" name ")*)?[)])? *[Ff][Rr][Oo][Mm] [Ss][Tt][Dd][Ii][Nn];\r?\n$")
  }
  function put(line) {
    begin()
    if (line == "\\." || line == "\\.\r") line = quoted_backslash substr(line, 2)
    print line
  }
  BEGIN { quoted_backslash = tag " operator(pg_catalog.||) pg_catalog.chr(92) operator(pg_catalog.||) " tag }
  NR == FNR {
    if ($1 == "out") { from[++count] = $2; to[count] = $3 }
    if ($1 == "copy") copy_end[$2] = $3
    if ($1 == "end") ends[$2] = 1
    next
  }
  FNR < first || FNR > last { next }
  rows { print; if ($0 == "\\." || $0 == "\\.\r") rows = 0; next }
  { while (at < count && FNR > to[at + 1]) at++ }
  at < count && FNR >= from[at + 1] { next }
  tag == "" { print; next }
  FNR == 1 { sub(/^\357\273\277/, "") }
  FNR in copy_end { finish(); copying = copy_end[FNR]; text = "" }
  { put($0) }
  copying { text = text $0 "\n" }
  copying && FNR >= copying { rows = is_copy(text); copying = 0; finish() }
  FNR in ends { finish() }
  END {
    finish()
    if (rows) { print "the rows of its last table do not end" | "cat >&2"; exit 1 }
  }' "$directory/plan" - >"$directory/script" || exit
(
  [ -z "$role" ] || export PGUSER="$role" PGPASSWORD="$secret"
  # What the script sets itself stands: only what would stop it half way is ours.
  export PGOPTIONS='-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning -c standard_conforming_strings=on'
  [ -n "$role" ] || PGOPTIONS=$own_path_options
  sql -d "$database" -f "$directory/script" >/dev/null
) || exit
[ -z "$role" ] || printf 'alter role "%s" nologin password null;\n' "$role" | sql -d template1 || exit
# What an index calls, it calls too.
PGOPTIONS=$own_path_options sql -d "$database" -c 'analyze' || exit
printf '%s\n' "$count_sql" >"$directory/count.sql"
sql -d "$database" -f "$directory/count.sql" >"$directory/counts" || exit
sed "s/^/$nonce fact /" "$directory/counts"
