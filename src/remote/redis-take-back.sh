# Puts what a restore kept in the place of what the stopped server would load; that is moved aside in the same way. $1
# container, $2 image, $3 data directory, $4 id, $5 dbfilename, $6 append-only directory or `-`, $7 append-only file's
# name, $8 what to note about the data that is moved, $9 the folder that was kept: its mark stays until the data is proven.
# shellcheck disable=SC2016 # expands in the container
text=$(candidates)'
dir=$1 id=$2 file=$3 append=$4 log=$5 note=$6 kept=$7
[ -e "$dir/$kept/.moved" ] || { echo "error $kept is not a whole set of replaced files" >&2; exit 1; }
on=$append
[ "$append" != - ] || append=appendonlydir
aside "$dir/.pre-restore-$id"
moved "$dir/.pre-restore-$id" "$note"
for one in "$dir/$kept"/*; do
  if [ -e "$one" ]; then mv "$one" "$dir/" || exit 1; fi
done
if [ "$on" != - ] && [ ! -e "$dir/$on" ] && [ -e "$dir/$file" ]; then begin_append "$on" "$log"; fi
sync
'
at_data "$text" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" </dev/null
