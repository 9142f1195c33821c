# Puts the staged files in the place of what the stopped server would load; that is moved aside and kept. $1 container,
# $2 image, $3 data directory, $4 id, $5 dbfilename, $6 append-only directory or `-`, $7 append-only file's name.
# shellcheck disable=SC2016 # expands in the container
text=$(candidates)'
dir=$1 id=$2 file=$3 append=$4 log=$5
umask 077
[ -n "$(ls -A "$dir/.restore-$id")" ] || { echo "error nothing is staged" >&2; exit 1; }
owner=$(stat -c %u:%g "$dir")
on=$append
[ "$append" != - ] || append=appendonlydir
aside "$dir/.pre-restore-$id"
: >"$dir/.pre-restore-$id/.moved" && chown "$owner" "$dir/.pre-restore-$id" || exit 1
for one in "$dir/.restore-$id"/*; do mv "$one" "$dir/" || exit 1; done
rmdir "$dir/.restore-$id" || exit 1
if [ "$on" != - ]; then
  # With the append-only file on, the snapshot alone is ignored and then overwritten: it must be the base of that file.
  mkdir -m 700 "$dir/$on" && ln "$dir/$file" "$dir/$on/$log.1.base.rdb" || exit 1
  echo "file $log.1.base.rdb seq 1 type b" >"$dir/$on/$log.manifest" && chown -R "$owner" "$dir/$on" || exit 1
fi
sync
'
at_data "$text" "$1" "$2" "$3" "$4" "$5" "$6" "$7" </dev/null
