# Until when keys with an expiry are there, as far as eight in each database tell that are taken by chance. $1 container,
# $2 port. Lines `DATABASE SECONDS` since the epoch.
inside "$1" "$2" <<'INSIDE'
for one in $(keyspace); do
  case $one in db*,expires=0 | db*,expires=0,*) continue ;; esac
  number=${one%%:*} number=${number#db} tries=8
  while [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    key=$(ask -n "$number" RANDOMKEY)
    left=$(printf '%s' "$key" | ask -n "$number" -x PTTL)
    case $left in '' | *[!0-9]*) continue ;; esac
    printf '%s %s\n' "$number" $(($(date +%s) + left / 1000))
  done
done
INSIDE
