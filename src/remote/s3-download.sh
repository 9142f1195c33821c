# Fetches one file straight from S3. $1 directory of backups, $2 path in it, $3 bytes, $4 SHA-256, $5 ETag or `-`, $6 tries,
# $7 seconds without progress that cut a try. Standard input: the URL, which stands in no argument, file or output here.
# What an earlier try has brought is kept and completed; the file gets its name only when its SHA-256 is right.
set -u
umask 077
bytes=$3 sum=$4 etag=$5 tries=$6 stall=$7 range=67108864
read -r url
mkdir -p "$1/$(dirname "$2")" && cd "$1" && chmod 700 . "$(dirname "$2")" || exit 1
file=$2 partial=$2.partial
right() { [ "$(($(wc -c <"$1")))" = "$bytes" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$sum" ]; }
if [ -e "$file" ]; then
  if right "$file"; then echo "already there"; exit 0; fi
  # Nothing is overwritten: the damaged file stays for whoever wants to look at it.
  mv "$file" "$file.damaged.$(date +%s)" || exit 1
fi
free=$(df -Pk . | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
[ "${free:-0}" -ge "$((bytes / 1024))" ] || { echo "error $1 has ${free:-no known} KiB free, the file needs $((bytes / 1024)) KiB" >&2; exit 1; }
[ -e "$partial" ] || : >"$partial"
failed=0
trap 'rm -f "$partial.head" "$partial.cut"' EXIT
trap 'exit 1' TERM INT HUP
while :; do
  have=$(($(wc -c <"$partial")))
  if [ "$have" -gt "$bytes" ]; then : >"$partial"; have=0; fi
  [ "$have" -lt "$bytes" ] || break
  last=$((have + range - 1))
  [ "$last" -lt "$bytes" ] || last=$((bytes - 1))
  # The bytes go to standard output: a file named to curl would be emptied first.
  curl -sS -f -K /dev/fd/3 -r "$have-$last" --connect-timeout 10 --speed-limit 1000 --speed-time "$stall" \
    -D "$partial.head" >>"$partial" 2>/dev/null 3<<CONFIG
url = "$url"
$([ "$etag" = - ] || printf 'header = "If-Match: \\"%s\\""' "$etag")
CONFIG
  rc=$?
  code=$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*$/\1/p' "$partial.head" | tail -n 1)
  : >"$partial.head"
  if [ "$code" = 206 ] && [ "$rc" = 0 ]; then continue; fi
  # A 200 is the whole object, not the range that was asked for.
  if [ "$code" != 206 ] && [ "$(($(wc -c <"$partial")))" -gt "$have" ]; then head -c "$have" "$partial" >"$partial.cut" && mv "$partial.cut" "$partial"; fi
  failed=$((failed + 1))
  case $code in
    403 | 404 | 412) rm -f "$partial"; echo "error S3 answered $code for $file" >&2; exit 1 ;;
  esac
  [ "$failed" -lt "$tries" ] || { echo "error S3 answered ${code:-000} for $file (curl $rc), $failed times" >&2; exit 1; }
  sleep "$failed"
done
if ! right "$partial"; then
  rm -f "$partial"
  echo "error $file came from S3 with other bytes than its manifest says" >&2
  exit 1
fi
sync "$partial"
mv "$partial" "$file"
sync "$(dirname "$file")"
echo "fetched $bytes"
