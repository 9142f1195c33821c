# Looks at disks and at mounted volumes. $1 = how many disk paths follow it, the paths, then triples
# SERVICE CONTAINER TARGET, one for each place that a container must be able to write.
# Prints lines, fields separated by tabs: "disk PATH SIZE FREE" in KiB, "disk PATH unknown WHY",
# "write SERVICE TARGET ok|failed|unknown WHY", "docker-root PATH".
tab=$(printf '\t')
disk() {
  near=$1
  # A folder that is not there yet, or behind one that may not be entered, lies on its nearest ancestor's disk.
  while [ ! -e "$near" ] && [ "$near" != / ]; do near=$(dirname "$near"); done
  # shellcheck disable=SC2046 # split into columns on purpose
  set -- "$1" $(timeout -k 2 10 df -P -k "$near" 2>/dev/null | tail -n 1)
  case $3:$5 in
    *[!0-9:]* | :* | *:) printf 'disk\t%s\tunknown\tdf gave no numbers\n' "$1" ;;
    *) printf 'disk\t%s\t%s\t%s\n' "$1" "$3" "$5" ;;
  esac
}
writable() { # SERVICE CONTAINER TARGET: asked inside, as the user that the service runs as; nothing is written
  user=$(timeout -k 2 15 docker exec "$2" stat -c %u:%g /proc/1 2>&1) || user=
  # shellcheck disable=SC2016 # expanded in the container
  why=$(timeout -k 2 15 docker exec ${user:+--user "$user"} "$2" sh -c '[ -w "$1" ] || { echo not writable; exit 3; }' sh "$3" 2>&1)
  case $? in
    0) state=ok ;;
    3) state=failed ;;
    *) state=unknown ;;
  esac
  printf 'write\t%s\t%s\t%s\t%s\n' "$1" "$3" "$state" "$(printf '%s' "$why" | tail -n 1 | tr "$tab" ' ')"
}
count=$1
shift
while [ "$count" -gt 0 ]; do
  disk "$1"
  shift
  count=$((count - 1))
done
root=$(timeout -k 2 15 docker info --format '{{.DockerRootDir}}' 2>/dev/null)
if [ -n "$root" ]; then
  printf 'docker-root\t%s\n' "$root"
  disk "$root"
fi
while [ $# -ge 3 ]; do
  writable "$1" "$2" "$3" &
  shift 3
done
wait
