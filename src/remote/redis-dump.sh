# Backs up Redis or Valkey into one file. $1 container, $2 port, $3 image, $4 target without `.partial`, $5 KiB that the
# snapshot may need, $6 seconds that the save may take. The server stays in use. On standard output: what was found.
set -u
target=$4 need=$5 bytes='' sum=''
umask 077
mkdir -p "$(dirname "$target")"
chmod 700 "$(dirname "$target")"
trap 'rm -f "$target.partial.fifo" "$target.partial.sum" "$target.partial.info" "$target.partial.code"' EXIT
broken() { rm -f "$target.partial"; exit 1; }
trap 'broken' TERM INT HUP
room "$(dirname "$target")" "$need" || broken

snapshot() {
  inside "$1" "$2" "$3" "$4" <<'INSIDE'
need=$1 limit=$2
until_field() {
  while [ "$(field "$1")" != "$2" ]; do
    limit=$((limit - 1))
    [ "$limit" -gt 0 ] || fail "the save did not end in time ($1 is not $2)"
    sleep 1
  done
}
settings_told
dir=$(setting dir) name=$(setting dbfilename)
[ -n "$name" ] || fail "it is set up without dbfilename"
until_field loading 0
free=$(df -Pk "$dir" | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
[ "${free:-0}" -ge "$need" ] || fail "the data directory $dir has ${free:-no known} KiB free, the snapshot may need $need KiB; a save that fails would make the server refuse writes"
say "before $(keyspace)"
# LASTSAVE has a resolution of a second and proves nothing; rdb_saves counts every save that has ended.
while :; do
  saves=$(field rdb_saves)
  reply=$(ask BGSAVE)
  case $reply in
    *"Another child process"* | *"child process is active"*) reply=$(ask BGSAVE SCHEDULE) ;;
  esac
  case $reply in
    *started*) break ;;
    *scheduled*)
      while [ "$(field rdb_saves)" = "$saves" ]; do
        limit=$((limit - 1))
        [ "$limit" -gt 0 ] || fail "the scheduled save did not begin in time"
        sleep 1
      done
      break ;;
    *"already in progress"*) until_field rdb_bgsave_in_progress 0 ;;
    *) declined BGSAVE "$reply" ;;
  esac
done
waited=0
while [ "$(field rdb_bgsave_in_progress)" != 0 ] && [ "$waited" -lt 20 ]; do waited=$((waited + 1)); sleep 0.1; done
until_field rdb_bgsave_in_progress 0
status=$(field rdb_last_bgsave_status)
[ "$status" = ok ] || fail "the save ended with status ${status:-unknown}"
[ "$(field rdb_saves)" -gt "$saves" ] || fail "the save left no trace in rdb_saves"
say "after $(keyspace)"
send "$dir/$name"
INSIDE
}

receive "$target.partial" snapshot "$1" "$2" "$need" "$6" || broken
sed -n '/^before /p;/^after /p' "$target.partial.info"
echo "file $bytes $sum $(basename "$target")"
check_rdb "$3" "$target.partial" || broken
