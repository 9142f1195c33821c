# Asks a redis-compatible server how it is. $1 container, $2 port. First line: the reply to PING; then INFO.
inside "$1" "$2" <<'INSIDE'
printf 'PING\nINFO\nINFO persistence\n' | $quick "$cli" -p "$port" 2>/dev/null | tr -d '\r'
INSIDE
