# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Says how this container can pack a dump. $1 nonce.
format=gzip
# pg_dump looks whether it knows the method before it looks for a server.
if [ "$server_major" -ge 16 ] && ! pg_dump -w -Fc --compress=zstd:1 -h /nonexistent 2>&1 | grep -q -i compress; then
  format=zstd
elif command -v zstd >/dev/null; then
  format=zstd-pipe
fi
printf '%s format %s\n' "$1" "$format"
