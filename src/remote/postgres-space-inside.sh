# shellcheck shell=sh
# Size of the disk and free bytes where the database's files and where temporary files lie, inside the container. $1 nonce.
disk() { df -P -B1 "$1" | awk 'NR == 2 { print $2, $4 }'; }
printf '%s data %s\n' "$1" "$(disk "${PGDATA:-/var/lib/postgresql/data}")"
printf '%s temporary %s\n' "$1" "$(disk "${TMPDIR:-/tmp}")"
printf '%s end 0\n' "$1"
