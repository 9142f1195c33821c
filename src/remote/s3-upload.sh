# Sends parts of a file straight to S3. $1 file, $2 size of a part, $3 tries, $4 seconds without progress that cut a try.
# Of a file that is still being written also: $5 the name that it gets when it is whole, $6 seconds without growth, and $7
# seconds in all, after which no more is awaited. Standard input: lines `NUMBER LENGTH URL`; a number of 0 is the probe: one
# byte to that URL with a wrong MD5. On standard output: `part NUMBER MD5 CODE REASON` for each, `probe CODE REASON`, at last `end WHY`.
# The URL is a key: it stands in no argument, file or output here.
set -u
file=$1 size=$2 tries=$3 stall=$4 name=${5:-} idle=${6:-0} life=${7:-0}
body=$file why=sent began=$(date +%s)
answer=$(mktemp) || exit 1
trap 'rm -f "$answer"' EXIT
trap 'exit 1' TERM INT HUP

# base64 of a hexadecimal MD5: sh has no \x, but octal escapes.
encode() {
  hex=$1
  while [ -n "$hex" ]; do
    rest=${hex#??}
    # shellcheck disable=SC2059 # the escape is the point
    printf "\\$(printf %03o "0x${hex%"$rest"}")"
    hex=$rest
  done | base64
}

put() {
  # $1 length, $2 base64 of the MD5, $3 URL; the body comes on standard input and is exactly as long.
  curl -sS -K /dev/fd/3 -X PUT -T - -H 'Transfer-Encoding:' -H "Content-Length: $1" -H 'Expect:' -H 'Content-Type:' \
    --connect-timeout 10 --speed-limit 1000 --speed-time "$stall" -o "$answer" -w '%{http_code}' 3<<CONFIG 2>/dev/null
url = "$3"
header = "Content-MD5: $2"
CONFIG
}

reason() {
  sed -n 's/.*<Code>\([A-Za-z]*\)<\/Code>.*/\1/p' "$answer" | head -n 1
}

# A store may notice its own failure only after it has begun to answer with 200.
meant() {
  : "${code:=000}"
  if [ "$code" = 200 ] && grep -q '<Error>' "$answer"; then code=500; fi
}

again() {
  case $1 in
    000 | 408 | 429 | 5??) return 0 ;;
    400) grep -q -E 'BadDigest|RequestTimeout|IncompleteBody|SlowDown' "$answer" ;;
    *) return 1 ;;
  esac
}

send() {
  number=$1 length=$2 url=$3
  from=$(((number - 1) * size + 1))
  md5=$(tail -c "+$from" "$body" | head -c "$length" | md5sum | cut -d' ' -f1)
  sum=$(encode "$md5")
  try=1
  while :; do
    : >"$answer"
    code=$(tail -c "+$from" "$body" | head -c "$length" | put "$length" "$sum" "$url")
    meant
    if [ "$code" = 200 ] || [ "$try" -ge "$tries" ] || ! again "$code"; then break; fi
    sleep $((try * try + $$ % 2))
    try=$((try + 1))
  done
  # One that failed for good ends the batch: the rest would only wait as long to fail as well.
  echo "part $number $md5 $code $(reason)"
  [ "$code" = 200 ]
}

# grown BYTES: waits until the growing file has so many. 1, with the reason in `why`, when it is whole or no longer awaited.
grown() {
  [ -n "$name" ] || return 0
  quiet=0 had=
  while :; do
    if [ -e "$name" ]; then why=whole; return 1; fi
    # Held open, it can be read to its end whatever becomes of its name.
    if [ "$body" = "$file" ] && [ -e "$file" ] && exec 4<"$file"; then body=/proc/self/fd/4; fi
    if [ "$body" != "$file" ] && [ ! -e "$file" ] && [ ! -e "$name" ]; then why=gone; return 1; fi
    have=$(stat -L -c %s "$body" 2>/dev/null) || have=0
    [ "$have" -lt "$1" ] || return 0
    if [ "$have" != "$had" ]; then quiet=0 had=$have; fi
    quiet=$((quiet + 1))
    if [ "$quiet" -gt $((idle * 2)) ]; then why=idle; return 1; fi
    if [ $(($(date +%s) - began)) -ge "$life" ]; then why=old; return 1; fi
    sleep 0.5
  done
}

while read -r number length url; do
  if [ "$number" = 0 ]; then
    try=1 code=000
    while [ "$try" -le "$tries" ]; do
      code=$(printf x | put 1 'AAAAAAAAAAAAAAAAAAAAAA==' "$url")
      meant
      case $code in 000 | 429 | 5??) sleep "$try"; try=$((try + 1)) ;; *) break ;; esac
    done
    echo "probe $code $(reason)"
  else
    grown $((number * size)) || break
    send "$number" "$length" "$url" || { why=refused; break; }
  fi
done
echo "end $why"
