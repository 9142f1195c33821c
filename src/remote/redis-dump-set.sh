# Backs up Dragonfly into a set of files. $1 container, $2 port, $3 name of the set in the data directory, $4 target
# without `-0000.dfs.partial`, $5 KiB that the snapshot may need, $6 seconds that the save may take. On standard output:
# what was found. Neither a missing file nor a changed byte is noticed by Dragonfly: the caller checks the set.
set -u
container=$1 port=$2 set=$3 target=$4 need=$5 limit=$6 bytes='' sum=''
umask 077
mkdir -p "$(dirname "$target")"
chmod 700 "$(dirname "$target")"

forget() {
  inside "$container" "$port" "$set" <<'INSIDE'
dir=$(setting dir)
[ -n "$dir" ] || fail "CONFIG GET dir gave nothing"
rm -f "$dir/$1"-*.dfs "$dir/$1"-*.dfs.tmp
INSIDE
}
broken() { rm -f "$target"-*.dfs.partial; forget || echo "the set $set may still lie in the data directory" >&2; exit 1; }
trap 'rm -f "$target"-*.partial.fifo "$target"-*.partial.sum "$target"-*.partial.info "$target"-*.partial.code "$target.list.partial"' EXIT
trap 'broken' TERM INT HUP
room "$(dirname "$target")" "$need" || exit 1

inside "$container" "$port" "$set" "$need" "$limit" >"$target.list.partial" <<'INSIDE' || broken
set=$1 need=$2 limit=$3
settings_told
dir=$(setting dir)
case $dir in *://*) fail "the data directory is $dir: a snapshot there is no file that can be copied" ;; esac
while [ "$(field loading)" != 0 ]; do
  limit=$((limit - 1))
  [ "$limit" -gt 0 ] || fail "still loading its data"
  sleep 1
done
free=$(df -Pk "$dir" | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
[ "${free:-0}" -ge "$need" ] || fail "the data directory $dir has ${free:-no known} KiB free, the snapshot may need $need KiB"
# Sets of runs that died: only this suite uses the name.
rm -f "$dir"/infra-actions-*.dfs "$dir"/infra-actions-*.dfs.tmp
changes() { ask INFO stats | grep -E '^(keyspace_mutations|expired_keys|evicted_keys):' | tr '\n' ' '; }
# SAVE blocks nobody here and answers when the files are in place; the state after BGSAVE cannot be known.
while :; do
  before="$(changes)$(keyspace)"
  reply=$(slow SAVE DF "$set")
  case $reply in
    OK) break ;;
    *"in progress"*)
      limit=$((limit - 1))
      [ "$limit" -gt 0 ] || fail "another save did not end in time"
      sleep 1 ;;
    *) declined SAVE "$reply" ;;
  esac
done
echo "before $before"
echo "after $(keyspace)$(changes)"
# What it counted by type while it wrote, unless another save has ended since.
saved=$(ask INFO persistence)
case $(printf '%s\n' "$saved" | sed -n 's/^last_saved_file://p') in
  "$set-summary.dfs" | */"$set-summary.dfs")
    echo "wrote $(printf '%s\n' "$saved" | grep -E '^rdb_[a-z]+:' | tr '\n' ' ')" ;;
esac
for file in "$dir/$set"-*.dfs; do
  [ -e "$file" ] || fail "SAVE answered OK but left no file in $dir"
  echo "part $(basename "$file")"
done
INSIDE

send_part() {
  inside "$container" "$port" "$1" <<'INSIDE'
send "$(setting dir)/$1"
INSIDE
}
grep -E '^(before|after|wrote) ' "$target.list.partial"
# The names hold no blank: the set's is ours and Dragonfly adds numbers.
parts=$(sed -n "s/^part //p" "$target.list.partial")
for part in $parts; do
  file=$target${part#"$set"}
  receive "$file.partial" send_part "$part" </dev/null || broken
  echo "file $bytes $sum $(basename "$file")"
done
forget
