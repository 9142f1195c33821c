#!/bin/sh
# As root: makes /data its own, then runs as uid 999. The password comes from the environment and never stands in argv.
set -eu
case $1 in redis-server | valkey-server) ;; *) exec "$@" ;; esac
umask 077
if [ "$(id -u)" = 0 ]; then
  find /data ! -user 999 -exec chown 999:999 {} +
  exec setpriv --reuid=999 --regid=999 --clear-groups "$0" "$@"
fi
server=$1
shift
{
  printf 'dir /data\nprotected-mode no\nbind * -::*\n'
  if [ -n "${DFLY_requirepass:-}" ]; then printf 'requirepass "%s"\n' "$DFLY_requirepass"; fi
} >/tmp/redis.conf
exec "$server" /tmp/redis.conf "$@"
