#!/bin/sh
# Feeds a foreign dump, turned into a script, to the script inside the container that runs it.
# $1 container, $2 script that reads it, $3 script that runs it, $4 nonce, $5 path, $6 its kind; the rest goes to $3.
set -u
umask 077
container=$1 read=$2 run=$3 nonce=$4 path=$5 kind=$6
shift 6
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT HUP
feed() {
  if [ "$kind" = directory ]; then tar -cf - -C "$path" .; else cat "$path"; fi |
    docker exec -i "$container" sh -c "$read" sh "$nonce" "$kind" 2>"$work/read"
}
feed | docker exec -i "$container" sh -c "$run" sh "$nonce" "$@"
code=$?
grep -v "^$nonce end 0$" "$work/read" >&2
grep -q "^$nonce end 0$" "$work/read" || { echo "$path could not be read to its end" >&2; exit 1; }
exit "$code"
