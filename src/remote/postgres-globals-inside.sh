# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Dumps roles, their password hashes and memberships, and tablespaces, to standard output. $1 nonce, $2 milliseconds to wait for a lock.
guarded "$1" pg_dumpall -w --globals-only --lock-wait-timeout="$2" -l template1
