# Functions put in front of the other redis-* scripts.

# Where the password may stand on a command line or in a named configuration file: told by docker, never printed.
find_password() {
  given=$(docker inspect -f '{{.Path}} {{range .Args}}{{.}} {{end}}' "$1") || return 1
  conf=$(printf '%s\n' "$given" | tr ' ' '\n' | grep '\.conf$' | head -n 1)
  password=$(printf '%s\n' "$given" | sed -n 's/.*--requirepass[ =]["'\'']\{0,1\}\([^ "'\''$]\{1,\}\).*/\1/p' | head -n 1)
}

# inside CONTAINER PORT [ARG...]: runs the sh text on standard input in the container. There `ask` is the client, `fail`
# ends with a reason, $1.. are the ARGs. The password goes in by the environment alone.
inside() {
  (
    container=$1 port=$2
    shift 2
    find_password "$container" || exit 1
    text=$(client "$port" "$conf"; cat; printf x)
    [ -z "$password" ] || { export REDISCLI_AUTH="$password"; set -- -e REDISCLI_AUTH "$container" sh -s -- "$@"; }
    [ -n "$password" ] || set -- "$container" sh -s -- "$@"
    printf '%s' "${text%x}" | docker exec -i "$@"
  )
}

client() {
  printf 'port=%s\nconf="%s"\n' "$1" "$(printf '%s' "$2" | tr -cd 'A-Za-z0-9._/-')"
  cat <<'INSIDE'
export LC_ALL=C
umask 077
say() { printf '%s\n' "$*" >&2; }
fail() { say "error $*"; exit 1; }
: "${REDISCLI_AUTH:=${DFLY_requirepass:-${REDIS_PASSWORD:-${VALKEY_PASSWORD:-${DRAGONFLY_PASSWORD:-}}}}}"
if [ -z "$REDISCLI_AUTH" ] && [ -r "$conf" ]; then
  REDISCLI_AUTH=$(sed -n 's/^requirepass *"\{0,1\}\([^"]*\)"\{0,1\} *$/\1/p' "$conf" | tail -n 1)
fi
if [ -n "$REDISCLI_AUTH" ]; then export REDISCLI_AUTH; else unset REDISCLI_AUTH; fi
cli=$(command -v redis-cli || command -v valkey-cli) || fail "the image has no redis-cli"
if command -v timeout >/dev/null; then quick="timeout 20"; else quick=; fi
ask() { $quick "$cli" -p "$port" "$@" 2>/dev/null | tr -d '\r'; }
# declined COMMAND REPLY: ends with the reply; `refused` where the server does not know the command by this name, or forbids it.
declined() {
  case $2 in
    *"unknown command"* | *"restricted command"* | NOPERM*) fail "refused $1: $2" ;;
    *) fail "$1 answered: ${2:-nothing}" ;;
  esac
}
slow() { "$cli" -p "$port" "$@" 2>/dev/null | tr -d '\r'; }
field() { ask INFO persistence | sed -n "s/^$1://p"; }
setting() { ask CONFIG GET "$1" | sed -n 2p; }
# Ends where the server does not tell its settings.
settings_told() { [ -n "$(setting dir)" ] || declined "CONFIG GET" "$(ask CONFIG GET dir | head -n 1)"; }
keyspace() { ask INFO keyspace | grep '^db[0-9]' | tr '\n' ' '; }
# send FILE: its bytes to standard output; then, on the other one, their number and SHA-256 as the source has them.
# The open file stays the same when the server renames a newer one over its name.
send() {
  exec 3<"$1" || fail "cannot open $1"
  cat <&3 || fail "reading $1 stopped"
  say "sent $(wc -c </proc/$$/fd/3) $(sha256sum </proc/$$/fd/3 | cut -d' ' -f1)"
  exec 3<&-
}
INSIDE
}

# receive PARTIAL COMMAND...: the command's output into a file, SHA-256 taken while writing and compared with what the
# source said; the rest of what it said stays in PARTIAL.info.
receive() {
  partial=$1
  shift
  rm -f "$partial.fifo"
  mkfifo "$partial.fifo"
  sha256sum <"$partial.fifo" >"$partial.sum" &
  summer=$!
  { "$@" 2>"$partial.info"; echo $? >"$partial.code"; } | tee "$partial.fifo" >"$partial"
  written=$?
  wait "$summer" || return 1
  rm -f "$partial.fifo"
  read -r sum _ <"$partial.sum"
  read -r code <"$partial.code"
  bytes=$(($(wc -c <"$partial")))
  sent=$(sed -n 's/^sent *//p' "$partial.info")
  grep '^error ' "$partial.info" >&2 && return 1
  [ "$written" = 0 ] || { echo "error writing $partial failed" >&2; return 1; }
  [ "$code" = 0 ] || { tail -n 3 "$partial.info" >&2; echo "error the container's part ended with code $code" >&2; return 1; }
  [ "$sent" = "$bytes $sum" ] || { echo "error $partial holds $bytes bytes $sum, the source sent ${sent:-nothing whole}" >&2; return 1; }
  [ "$bytes" -gt 0 ] || { echo "error the snapshot is empty" >&2; return 1; }
  sync "$partial"
}

# room DIRECTORY KIB
room() {
  free=$(df -Pk "$1" | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
  [ "${free:-0}" -ge "$2" ] || { echo "error $1 has ${free:-no known} KiB free, the snapshot may need $2 KiB" >&2; return 1; }
}
