# Asks a redis-compatible server how it is. $1 container, $2 port, $3 seconds that it may take. First line: the reply to PING,
# empty where there is none in time; then INFO, and when this was, in seconds since the epoch.
inside "$1" "$2" "$3" <<'INSIDE'
[ -z "$quick" ] || quick="timeout $1"
printf 'PING\nINFO\nINFO persistence\n' | $quick "$cli" -p "$port" 2>/dev/null | tr -d '\r'
printf '\nasked_at:%s\n' "$(date +%s)"
INSIDE
