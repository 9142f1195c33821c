# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Tells how to log in over the network, for a container beside: user, password and database, in octal for they may hold
# anything, and which server answers here.
octal() { printf '%s\n' "$(printf '%s' "$1" | od -An -v -to1 | tr -d '\n' | sed 's/ /\\0/g')"; }
octal "$PGUSER"
octal "$PGPASSWORD"
octal "$PGDATABASE"
which_server
