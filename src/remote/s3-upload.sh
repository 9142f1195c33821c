# Sends parts of a file straight to S3, several at once. $1 file, $2 size of a part in whole MiB of bytes, $3 tries, $4 seconds
# without progress that cut a try, $5 parts at once. Of a file that is still being written also: $6 the name that it gets when
# it is whole (`FILE.written` says it earlier), $7 seconds without growth, and $8 seconds in all, after which no more is awaited.
# Standard input: lines `NUMBER URL`; a number of 0 is the probe: one byte to that URL with a wrong MD5. On standard output:
# `probe CODE REASON`, `part NUMBER MD5 CODE REASON` (MD5 in base64), `whole BYTES` as soon as that is known, `sum SHA256` when
# all of the file went up here: of the very bytes that the MD5s are of; at last `end WHY`.
# The URL is a key: it stands in no argument, file or output here.
set -u
file=$1 size=$2 tries=$3 stall=$4 lanes=$5 name=${6:-} idle=${7:-0} life=${8:-0}
block=1048576 why=sent body='' bytes='' fed=0 pids=''
work=$(mktemp -d) && mkfifo "$work/free" "$work/stream" || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' TERM INT HUP

# OpenSSL may not be there, or not be allowed to use MD5.
if [ "$(openssl md5 -binary </dev/null 2>/dev/null | base64)" = 1B2M2Y8AsgTpgAmY7PhCfg== ]; then
  md5() { openssl md5 -binary | base64; }
else
  # base64 of a hexadecimal MD5: sh has no \x, but octal escapes.
  md5() {
    hex=$(md5sum) && hex=${hex%% *}
    while [ -n "$hex" ]; do
      rest=${hex#??}
      # shellcheck disable=SC2059 # the escape is the point
      printf "\\$(printf %03o "0x${hex%"$rest"}")"
      hex=$rest
    done | base64
  }
fi

# Seconds since boot: unlike the clock it is never set, and it costs no process.
uptime() { read -r up _ </proc/uptime && up=${up%%.*}; }

# One part of the file, from the page cache as a rule.
part() { dd if="$body" bs="$block" skip=$((($1 - 1) * size / block)) count=$((size / block)) 2>/dev/null; }

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

probe() {
  try=1 answer=$work/probe
  while :; do
    : >"$answer"
    code=$(printf x | put 1 'AAAAAAAAAAAAAAAAAAAAAA==' "$1")
    meant
    case $code in 000 | 429 | 5??) [ "$try" -lt "$tries" ] || break ;; *) break ;; esac
    sleep "$try"
    try=$((try + 1))
  done
  echo "probe $code $(reason)"
  [ "$code" = 400 ]
}

# send NUMBER LENGTH MD5 URL, beside others.
send() {
  try=1 answer=$work/$1
  while :; do
    : >"$answer"
    code=$(part "$1" | put "$2" "$3" "$4")
    meant
    if [ "$code" = 200 ] || [ "$try" -ge "$tries" ] || ! again "$code"; then break; fi
    sleep $((try * try + $1 % 2))
    try=$((try + 1))
  done
  # One that failed for good ends the batch: the rest would only wait as long to fail as well.
  [ "$code" = 200 ] || : >"$work/refused"
  echo "part $1 $3 $code $(reason)"
  rm -f "$answer"
  echo >&6
}

# The file is opened once: then it can be read to its end whatever becomes of its name.
open() {
  for one in "$file" ${name:+"$name"}; do
    if [ -e "$one" ] && exec 4<"$one"; then body=/proc/self/fd/4; return 0; fi
  done
  return 1
}

# grown NUMBER: waits until the file has this part, and sets its `length`; 1, with the reason in `why`, when it never will.
grown() {
  from=$((($1 - 1) * size)) quiet=0 had=''
  while :; do
    # Whether it is whole is asked before its size: what was there before is all.
    all=''
    if [ -z "$name" ] || [ -e "$name" ] || [ -e "$file.written" ]; then all=yes; fi
    have=0
    if [ -n "$body" ] || open; then
      have=$(stat -L -c %s "$body") || have=0
    elif [ -n "$all" ]; then
      why=gone
      return 1
    fi
    if [ -n "$all" ] && [ -z "$bytes" ]; then bytes=$have; echo "whole $bytes"; fi
    length=$((have - from))
    if [ "$length" -ge "$size" ]; then length=$size; return 0; fi
    if [ -n "$all" ]; then
      if [ "$length" -gt 0 ] || [ "$1" = 1 ]; then return 0; fi
      why=whole
      return 1
    fi
    if [ -n "$body" ] && [ ! -e "$file" ] && [ ! -e "$name" ]; then why=gone; return 1; fi
    if [ -e "$work/refused" ]; then why=refused; return 1; fi
    if [ "$have" != "$had" ]; then quiet=0 had=$have; fi
    quiet=$((quiet + 1))
    if [ "$quiet" -gt $((idle * 2)) ]; then why=idle; return 1; fi
    uptime
    if [ $((up - began)) -ge "$life" ]; then why=old; return 1; fi
    sleep 0.5
  done
}

uptime
began=$up
exec 6<>"$work/free"
number=0
while [ "$number" -lt "$lanes" ]; do echo >&6; number=$((number + 1)); done
sha256 <"$work/stream" >"$work/sum" & summing=$!
exec 7>"$work/stream"
end=0
while read -r number url; do
  if [ "$number" = 0 ]; then
    probe "$url" || { why=refused; break; }
    continue
  fi
  grown "$number" || break
  if [ "$number" = $((fed + 1)) ]; then
    sum=$(part "$number" | tee "$work/stream" | md5)
    fed=$number end=$((from + length))
  else
    sum=$(part "$number" | md5)
  fi
  read -r _ <&6
  [ ! -e "$work/refused" ] || break
  send "$number" "$length" "$sum" "$url" 7>&- &
  pids="$pids $!"
done
for pid in $pids; do wait "$pid"; done
exec 7>&-
wait "$summing"
if [ -e "$work/refused" ]; then
  why=refused
elif [ -n "$bytes" ] && [ "$end" = "$bytes" ] && [ "$why" != refused ]; then
  read -r sum _ <"$work/sum"
  echo "sum $sum"
  why=whole
fi
echo "end $why"
