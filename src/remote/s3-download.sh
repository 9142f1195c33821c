# Fetches one file straight from S3, several ranges at once. $1 directory of backups, $2 path in it, $3 bytes, $4 SHA-256,
# $5 ETag or `-`, $6 tries of a range, $7 seconds without progress that cut a try, $8 ranges at once. Standard input: the URL,
# which stands in no argument, file or output here. What came before is kept and completed; the file gets its name only when
# its SHA-256 is right. Prints `renew` instead, for another call with a fresh URL, when this one got old on the way. As it goes
# on: `from BYTES` that were there before, and `range BYTES` for each that came.
set -u
umask 077
bytes=$3 sum=$4 etag=$5 tries=$6 stall=$7 lanes=$8 block=1048576 range=16777216
read -r url
mkdir -p "$1/$(dirname "$2")" && cd "$1" && chmod 700 . "$(dirname "$2")" || exit 1
file=$2 partial=$2.partial
state=$partial.ranges
right() { [ "$(stat -c %s "$1")" = "$bytes" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$sum" ]; }
if [ -e "$file" ]; then
  if right "$file"; then echo "already there"; exit 0; fi
  # Nothing is overwritten: the damaged file stays for whoever wants to look at it.
  mv "$file" "$file.damaged.$(date +%s)" || exit 1
fi
# What came of another object is no beginning of this one.
if ! [ -e "$partial" ] || [ "$(sed -n 1p "$state" 2>/dev/null)" != "$sum $etag" ]; then
  : >"$partial" && echo "$sum $etag" >"$state" || exit 1
fi
free=$(df -Pk . | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
left=$((bytes / 1024 - $(du -k "$partial" | cut -f1)))
[ "${free:-0}" -ge "$left" ] || { echo "error $1 has ${free:-no known} KiB free, the file needs $left KiB" >&2; exit 1; }
before=$(grep -c '^done ' "$state")
echo "from $((before * range))"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' TERM INT HUP

# get N: one range into its place. 0 when all of it came; else `code` is the answer.
get() {
  first=$(($1 * range)) last=$((($1 + 1) * range - 1))
  [ "$last" -lt "$bytes" ] || last=$((bytes - 1))
  # An answer that is longer than its range must not run into the next one.
  {
    curl -sS -f -K /dev/fd/3 -r "$first-$last" --connect-timeout 10 --speed-limit 1000 --speed-time "$stall" \
      -D "$work/$1.head" 2>/dev/null 3<<CONFIG
url = "$url"
$([ "$etag" = - ] || printf 'header = "If-Match: \\"%s\\""' "$etag")
CONFIG
    echo $? >"$work/$1.rc"
  } | head -c $((last - first + 1)) | dd of="$partial" bs="$block" seek=$((first / block)) conv=notrunc 2>/dev/null || { code=disk; return 1; }
  read -r rc <"$work/$1.rc"
  code=$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*$/\1/p' "$work/$1.head" 2>/dev/null | tail -n 1)
  rm -f "$work/$1.head" "$work/$1.rc"
  # A 200 is the whole object, not the range that was asked for.
  [ "${code:=000}" = 206 ] && [ "$rc" = 0 ]
}

# lane N: every so many-th range, until all are there or one of them cannot be had.
lane() {
  number=$1
  while [ $((number * range)) -lt "$bytes" ]; do
    failed=0
    until [ -e "$work/failed" ] || grep -qx "done $number" "$state"; do
      if get "$number"; then
        echo "done $number" >>"$state"
        echo "range $((last + 1 - first))"
        continue
      fi
      failed=$((failed + 1))
      case $code in
        403 | 404 | 412 | disk) echo "$code" >"$work/failed" ;;
        *) [ "$failed" -lt "$tries" ] || echo "$code" >"$work/failed" ;;
      esac
      sleep "$failed"
    done
    number=$((number + lanes))
  done
}

pids=
from=0
while [ "$from" -lt "$lanes" ]; do
  lane "$from" &
  pids="$pids $!"
  from=$((from + 1))
done
for pid in $pids; do wait "$pid"; done

if [ -e "$work/failed" ]; then
  read -r code <"$work/failed"
  if [ "$code" = 403 ] && [ "$(grep -c '^done ' "$state")" -gt "$before" ]; then echo renew; exit 0; fi
  case $code in
    # An old URL is refused like a wrong one: what came stays for a fresh one.
    403) echo "error S3 answered 403 for $file" >&2 ;;
    404 | 412) rm -f "$partial" "$state"; echo "error S3 answered $code for $file" >&2 ;;
    disk) echo "error $partial cannot be written" >&2 ;;
    *) echo "error S3 answered $code for $file, $tries times" >&2 ;;
  esac
  exit 1
fi
rm -f "$state"
if ! right "$partial"; then
  rm -f "$partial"
  echo "error $file came from S3 with other bytes than its manifest says" >&2
  exit 1
fi
sync "$partial"
mv "$partial" "$file"
sync "$(dirname "$file")"
echo "fetched $bytes"
