# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Tells, in a container beside the server's, whether who answers over the network is that server, and the file is there.
# $1 nonce, $2 length of the file in bytes.
[ "$(wc -c </infra-actions/file)" -eq "$2" ] || { echo "the file is another one there" >&2; exit 1; }
server=$(which_server) || exit
[ "$server" = "$place_server" ] || { echo "another server answers there: $server, not $place_server" >&2; exit 1; }
printf '%s end 0\n' "$1"
