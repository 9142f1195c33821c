#!/bin/sh
# Runs a dump by the programs of a Postgres image, stores it, proves the stored bytes, and only then gives the file its name.
# $1 container of the server, $2 its image to run beside it or nothing, $3 and $4 scripts of `place_open`, $5 script that
# dumps, $6 script that checks, $7 nonce, $8 file, $9 how it is stored; the rest goes to $5, behind the nonce.
# shellcheck disable=SC2154 # what begins with place_, and login, is set by `place_open`
set -u
umask 077
container=$1 image=$2 login_script=$3 whole_script=$4 dump=$5 check=$6 nonce=$7 file=$8 packing=$9
shift 9
partial=$file.partial folder=$(dirname "$file") work='' pids='' ticker=''

leave() {
  code=$?
  trap - EXIT
  trap : TERM INT HUP
  # The end of its input tells the script inside to stop; it needs its output read until it has.
  exec 9>&-
  [ -z "$ticker" ] || kill "$ticker" 2>/dev/null
  if [ "$code" != 0 ]; then
    for pid in $pids; do wait "$pid" 2>/dev/null; done
    rm -f "$partial" "$partial.written"
  fi
  place_close
  [ -z "$work" ] || rm -rf "$work"
  exit "$code"
}
trap leave EXIT
trap 'exit 143' TERM INT HUP
die() { printf '%s\n' "$1" >&2; exit 1; }

mkdir -p "$folder" && chmod 700 "$folder" || exit
[ ! -e "$file" ] || die "$file is there already"
work=$(mktemp -d) && mkfifo "$work/alive" "$work/data" "$work/sum" "$work/store" && : >"$partial" || exit
place_open "$container" "$image" "$nonce" "$login_script" "$whole_script" "$partial" "$work/data"
sha256 <"$work/sum" >"$work/sum.is" 8>&- & sum=$!
cat <"$work/store" >"$partial" 8>&- & store=$!
tee "$work/sum" <"$work/data" >"$work/store" 8>&- & copy=$!
there "$place_login$place_to$dump" sh "$nonce" "$@" <"$work/alive" >"$work/data" 2>"$work/messages" 8>&- & inside=$!
pids="$inside $copy $store $sum"
# Before 9 is opened, which it must not hold open. It ends when we are gone; the sleeping one that it leaves behind holds
# nothing of ours.
while sleep 5 >/dev/null 2>&1 && kill -0 "$$" 2>/dev/null; do
  [ ! -e "$partial" ] || printf '%s progress %s\n' "$nonce" "$(($(wc -c <"$partial")))"
done 8>&- &
ticker=$!
exec 9>"$work/alive"
[ -z "$login" ] || printf '%s\n' "$login" >&9
codes=
for pid in $pids; do wait "$pid"; codes="$codes $?"; done
exec 9>&-
kill "$ticker" 2>/dev/null
pids='' ticker=''
grep -v -E "^$nonce (end|fact) " "$work/messages" >&2
[ "$codes" = ' 0 0 0 0' ] || die "the dump was not stored: exit codes$codes of docker exec, tee, cat, SHA-256"
# docker exec ends with 0 when it is told to stop: only this line says that the dump came to its end.
grep -q "^$nonce end 0$" "$work/messages" || die 'the dump broke off: its script inside the container did not end'
bytes=$(($(wc -c <"$partial")))
read -r sha256 _ <"$work/sum.is"
[ "$bytes" -gt 0 ] || die 'the dump is empty'

# Whoever sends it on meanwhile need not wait for its proof.
: >"$partial.written" || exit
# To the disk while it is proven.
sync "$partial" 8>&- & flush=$!
sha256 <"$partial" >"$work/back.is" 8>&- & sum=$!
# Beside, it reads the file itself.
input=$partial
[ -z "$place_beside" ] || input=/dev/null
prove() { there "$place_from$check" sh "$nonce" "$1" <"$input" >>"$work/proof" 8>&-; }
prove "$packing"
codes=" $?"
wait "$sum"; codes="$codes $?"
wait "$flush" || exit
[ "$codes" = ' 0 0' ] || die "the stored dump is not good: exit codes$codes of docker exec, SHA-256"
ends=1
case $packing in archive | zst)
  prove "$packing-head" || die 'the table of contents of the stored dump cannot be read'
  ends=2
  ;;
esac
[ "$(grep -c "^$nonce end 0$" "$work/proof")" = "$ends" ] || die 'the check of the stored dump broke off'
read -r again _ <"$work/back.is"
[ "$again" = "$sha256" ] || die "the stored bytes are not those that were dumped: SHA-256 $again, not $sha256"
sed -n "s/^$nonce data //p" "$work/proof" | LC_ALL=C sort >"$work/held"
if [ "$packing" = sql ]; then
  # Of a table of an extension nobody has counted which rows are dumped; of all others each must be there with all its rows.
  sed -n "s/^$nonce fact table .*\"rows\" : \([0-9]*\).*/\1/p" "$work/messages" | LC_ALL=C sort >"$work/counted"
  members=$(grep -c "^$nonce fact member " "$work/messages")
  [ "$(LC_ALL=C comm -13 "$work/counted" "$work/held" | wc -l)" -eq "$members" ] &&
    [ -z "$(LC_ALL=C comm -23 "$work/counted" "$work/held")" ]
else
  sed -n -E "s/^$nonce fact (table|member) ([0-9]*).*/\2/p" "$work/messages" | LC_ALL=C sort >"$work/counted"
  cmp -s "$work/counted" "$work/held"
fi || die "the dump does not hold what was counted: data of $(wc -l <"$work/held") tables, $(wc -l <"$work/counted") were counted"

mv "$partial" "$file" && rm -f "$partial.written" && sync "$folder" || exit
grep "^$nonce fact " "$work/messages"
printf '%s bytes %s\n%s sha256 %s\n%s end 0\n' "$nonce" "$bytes" "$nonce" "$sha256" "$nonce"
