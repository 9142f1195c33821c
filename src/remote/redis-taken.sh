# Removes the folder of what was taken back, which is empty by now. $1 container, $2 image, $3 data directory, $4 the folder.
# shellcheck disable=SC2016 # expands in the container
text='
cd "$1" || exit 1
[ -z "$(ls "$2")" ] || { echo "error $2 is not empty" >&2; exit 1; }
rm -f "./$2/.moved" && rmdir "./$2"
'
at_data "$text" "$1" "$2" "$3" "$4" </dev/null
