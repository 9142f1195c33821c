# What a restore has left in a data directory: prints `moved` when it began to move the old data aside, `staged` when it
# only brought files beside it, else `nothing`. $1 container, $2 image, $3 data directory, $4 id of the restore.
# shellcheck disable=SC2016 # expands in the container
text='
[ -d "$1" ] || exit 1
if [ -d "$1/.pre-restore-$2" ]; then echo moved; elif [ -d "$1/.restore-$2" ]; then echo staged; else echo nothing; fi
'
at_data "$text" "$1" "$2" "$3" "$4" </dev/null
