# Puts back what a restore has moved aside; what it had put there is kept as `.failed-restore-ID`, or in the folder $7 that
# it came from. $1 container, $2 image, $3 data directory, $4 id, $5 dbfilename, $6 append-only directory or `-`. The
# server is stopped, or nothing has been swapped yet.
# shellcheck disable=SC2016 # expands in the container
text=$(candidates)'
dir=$1 id=$2 file=$3 append=$4 from=${5:-.failed-restore-$2}
[ "$append" != - ] || append=appendonlydir
rm -rf "$dir/.restore-$id"
[ -d "$dir/.pre-restore-$id" ] || exit 0
# Without the mark the old data was still being moved: what lies in the directory is old, too.
if [ -e "$dir/.pre-restore-$id/.moved" ]; then
  # An earlier try of the same work was taken back, too: no directory goes over another.
  if [ -z "${5:-}" ] && [ -e "$dir/$append" ] && [ -e "$dir/$from/$append" ]; then
    mv "$dir/$from" "$dir/$from-$(date +%s)" || exit 1
  fi
  aside "$dir/$from"
  [ -e "$dir/$from/.moved" ] || moved "$dir/$from" "{\"run\":\"$id\",\"append\":null,\"atLeast\":null}"
  # From here on what lies in the directory is old: who comes after a kill must not move it away again.
  rm -f "$dir/.pre-restore-$id/.moved" && sync || exit 1
fi
for one in "$dir/.pre-restore-$id"/*; do
  if [ -e "$one" ]; then mv "$one" "$dir/" || exit 1; fi
done
rm -f "$dir/.pre-restore-$id/.moved.t" && rmdir "$dir/.pre-restore-$id" && sync
'
at_data "$text" "$1" "$2" "$3" "$4" "$5" "$6" "${7:-}" </dev/null
