#!/bin/sh
# Prints pg_controldata of a stopped container's data directory, from a throw-away container without network that sees its volumes read-only.
# $1 container, $2 image id.
set -u
directory=$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1" | sed -n 's/^PGDATA=//p')
docker run --rm --pull never --network none --user 0:0 --volumes-from "$1:ro" --env LC_ALL=C \
  --entrypoint pg_controldata "$2" "${directory:-/var/lib/postgresql/data}"
