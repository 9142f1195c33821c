# The line of Dragonfly's log about the load at its start, if there is one. $1 container. Its log is on standard error, or,
# when it was started without --logtostderr, in a file of its own; neither need be there.
since=$(docker inspect -f '{{.State.StartedAt}}' "$1") || exit 1
line=$(docker logs --since "$since" "$1" 2>&1 | grep -m 1 'num keys read: ')
[ -n "$line" ] || line=$(docker exec "$1" cat /tmp/dragonfly.INFO 2>/dev/null | grep -m 1 'num keys read: ')
printf '%s\n' "$line"
