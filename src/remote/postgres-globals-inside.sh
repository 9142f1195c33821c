# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Dumps roles, their password hashes and memberships, and tablespaces, to standard output. $1 nonce, $2 milliseconds to wait for a lock.
guard
pg_dumpall -w --globals-only --lock-wait-timeout="$2" -l template1 </dev/null &
dump=$!
trap 'kill "$dump" 2>/dev/null' TERM INT HUP
wait "$dump"
code=$?
# The second time for the code of one that a signal made us stop; the first wait ended with the signal's own.
[ "$code" -le 128 ] || wait "$dump" 2>/dev/null
unguard
printf '%s end %s\n' "$1" "$code" >&2
exit "$code"
