# How far an undo of a restore came in a data directory. $1 container, $2 image, $3 data directory, $4 id of the undo, $5 folder
# that it was to bring back. Prints `taken` when that is gone, for it goes last; `half` when anything was moved, else `untouched`.
# shellcheck disable=SC2016 # expands in the container
text='
[ -d "$1" ] || exit 1
if [ ! -d "$1/$3" ]; then echo taken; elif [ -d "$1/.pre-restore-$2" ]; then echo half; else echo untouched; fi
'
at_data "$text" "$1" "$2" "$3" "$4" "$5" </dev/null
