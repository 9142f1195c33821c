#!/bin/sh
# Feeds a dump to the script inside the container that restores it, and holds that script's input open for as long as we live.
# $1 container, $2 script to run inside, $3 file, $4 its length in bytes, $5 its SHA-256, $6 script that says how large the
# new database is, $7 its name; the rest, which begins with the nonce, goes to $2.
# shellcheck disable=SC2317 # leave() is what the traps run
set -u
umask 077
container=$1 inside=$2 file=$3 bytes=$4 sha256=$5 grown=$6 name=$7
shift 7
work='' exec_pid='' ticker=''
leave() {
  code=$?
  trap - EXIT
  trap : TERM INT HUP
  exec 9>&-
  [ -z "$ticker" ] || kill "$ticker" 2>/dev/null
  [ -z "$exec_pid" ] || wait "$exec_pid" 2>/dev/null
  [ -z "$work" ] || rm -rf "$work"
  exit "$code"
}
trap leave EXIT
trap 'exit 143' TERM INT HUP
# An archive that pg_dump packed with zstd has no check of its own: a flipped bit would come in as data.
read -r is _ <<END
$(sha256 <"$file")
END
if [ "$is" != "$sha256" ] || [ "$(wc -c <"$file")" -ne "$bytes" ]; then
  echo "$file is not the file that the backup's manifest describes" >&2
  exit 1
fi
work=$(mktemp -d) && mkfifo "$work/data" || exit
docker exec -i "$container" sh -c "$inside" sh "$bytes" "$@" <"$work/data" &
exec_pid=$!
# Before 9 is opened, which it must not hold open. What it starts ends by itself when it is gone.
nonce=$1
while sleep 10 >/dev/null 2>&1; do
  size=$(docker exec "$container" sh -c "$grown" sh "$name" 2>/dev/null) && printf '%s progress %s\n' "$nonce" "$size"
done &
ticker=$!
exec 9>"$work/data"
cat "$file" >&9 || exit
wait "$exec_pid"
code=$?
exec_pid=
exit "$code"
