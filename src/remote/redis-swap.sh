# Puts the staged files in the place of what the stopped server would load; that is moved aside and kept. $1 container,
# $2 image, $3 data directory, $4 id, $5 dbfilename, $6 append-only directory or `-`, $7 append-only file's name, $8 what
# to note about the data that is moved.
# shellcheck disable=SC2016 # expands in the container
text=$(candidates)'
dir=$1 id=$2 file=$3 append=$4 log=$5 note=$6
[ -n "$(ls -A "$dir/.restore-$id")" ] || { echo "error nothing is staged" >&2; exit 1; }
on=$append
[ "$append" != - ] || append=appendonlydir
aside "$dir/.pre-restore-$id"
moved "$dir/.pre-restore-$id" "$note"
for one in "$dir/.restore-$id"/*; do mv "$one" "$dir/" || exit 1; done
rmdir "$dir/.restore-$id" || exit 1
[ "$on" = - ] || begin_append "$on" "$log"
sync
'
at_data "$text" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" </dev/null
