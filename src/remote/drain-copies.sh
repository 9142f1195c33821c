# Waits until nobody is connected to a port of these containers. $1 = port, $2 = most seconds to wait, $3 = image with
# `cat` for containers that have none, then container ids. Only looks.
# Prints "drained", "cut N" when N connections are left at the end, or "unknown N" when they could not be counted.
port=$(printf ':%04X' "$1") limit=$2 helper=$3
shift 3
count() { # connections from outside of the container; its own health check comes from its loopback
  table=$(timeout -k 2 10 docker exec "$1" cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  [ -n "$table" ] || table=$(timeout -k 2 20 docker run --rm --pull never --network "container:$1" --label infra-actions.look=1 \
    --entrypoint cat "$helper" /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  if [ -z "$table" ]; then
    # A container that has ended has no connections.
    [ "$(docker inspect --type container --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ] && echo unknown || echo 0
    return
  fi
  printf '%s\n' "$table" | awk -v port="$port" '
    $4 == "01" && substr($2, length($2) - 4) == port && $3 !~ /^0100007F:|^00000000000000000000000001000000:|0100007F:/ { n++ }
    END { print n + 0 }'
}
end=$(($(date +%s) + limit))
quiet=0
while :; do
  total=0 unknown=0
  for container; do
    n=$(count "$container")
    if [ "$n" = unknown ]; then unknown=$((unknown + 1)); else total=$((total + n)); fi
  done
  # Three looks in a row: between two requests of a busy client there is a moment without any.
  if [ "$total" = 0 ] && [ "$unknown" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
  if [ "$quiet" -ge 3 ]; then echo drained; exit 0; fi
  if [ "$(date +%s)" -ge "$end" ]; then
    if [ "$unknown" -gt 0 ]; then echo "unknown $unknown"; else echo "cut $total"; fi
    exit 0
  fi
  sleep 0.2
done
