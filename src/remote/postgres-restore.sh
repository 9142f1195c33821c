#!/bin/sh
# Has a dump restored by the programs of a Postgres image, and holds their input open for as long as we live.
# $1 container of the server, $2 its image to run beside it or nothing, $3 and $4 scripts of `place_open`, $5 script that
# restores, $6 file, $7 its length in bytes, $8 its SHA-256, $9 script that says how large the new database is, then its
# name; the rest, which begins with the nonce, goes to $5.
# shellcheck disable=SC2317,SC2154 # leave() is what the traps run; what begins with place_, and login, is set by `place_open`
set -u
umask 077
container=$1 image=$2 login_script=$3 whole_script=$4 restore=$5 file=$6 bytes=$7 sha256=$8 grown=$9
shift 9
name=$1 nonce=$2
shift
work='' inside='' ticker=''
leave() {
  code=$?
  trap - EXIT
  trap : TERM INT HUP
  exec 9>&-
  [ -z "$ticker" ] || kill "$ticker" 2>/dev/null
  [ -z "$inside" ] || wait "$inside" 2>/dev/null
  place_close
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
work=$(mktemp -d) && mkfifo "$work/alive" "$work/pipe" || exit
place_open "$container" "$image" "$nonce" "$login_script" "$whole_script" "$file" "$work/pipe"
# Beside, it reads the file itself.
from=/infra-actions/file
[ -n "$place_beside" ] || from=-
there "$place_login$restore" sh "$bytes" "$from" "$@" <"$work/alive" 8>&- &
inside=$!
# Before 9 is opened, which it must not hold open. It ends when we are gone, and what it starts ends by itself then.
while sleep 10 >/dev/null 2>&1 && kill -0 "$$" 2>/dev/null; do
  size=$(docker exec "$container" sh -c "$grown" sh "$name" 2>/dev/null) && printf '%s progress %s\n' "$nonce" "$size"
done 8>&- &
ticker=$!
exec 9>"$work/alive"
if [ -n "$place_beside" ]; then printf '%s\n' "$login" >&9; else cat "$file" >&9; fi || exit
wait "$inside"
code=$?
inside=''
exit "$code"
