# shellcheck shell=sh
# Free bytes where the database's files and where temporary files lie, inside the container. $1 nonce.
free() { df -P -B1 "$1" | awk 'NR == 2 { print $4 }'; }
printf '%s data %s\n' "$1" "$(free "${PGDATA:-/var/lib/postgresql/data}")"
printf '%s temporary %s\n' "$1" "$(free "${TMPDIR:-/tmp}")"
printf '%s end 0\n' "$1"
