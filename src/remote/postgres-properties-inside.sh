# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Dumps a database without its data, as an archive, which says how it is made, to standard output. $1 nonce, $2 connection
# string, $3 milliseconds to wait for a lock.
guarded "$1" pg_dump -w -Fc -Z1 --schema-only --lock-wait-timeout="$3" -d "$2"
