# Until when keys with an expiry are there at least, as some tell that are taken by chance in each database. $1 container,
# $2 port, $3 seconds that it may take: what is told by then is enough. Lines `DATABASE SECONDS` since the epoch, none of
# them late.
inside "$1" "$2" "$3" <<'INSIDE'
end=$(($(date +%s) + $1))
[ -z "$quick" ] || quick="timeout 5"
for one in $(keyspace); do
  case $one in db*,expires=0 | db*,expires=0,*) continue ;; esac
  number=${one%%:*} number=${number#db} tries=8
  while [ "$tries" -gt 0 ]; do
    now=$(date +%s) tries=$((tries - 1))
    [ "$now" -lt "$end" ] || break 2
    key=$(ask -n "$number" RANDOMKEY)
    left=$(printf '%s' "$key" | ask -n "$number" -x PTTL)
    case $left in '' | *[!0-9]*) continue ;; esac
    printf '%s %s\n' "$number" $((now + left / 1000))
  done
done
INSIDE
