# Looks for folders of a restore or an undo in all that is mounted: nobody needs to know where the server keeps its data.
# $1 container, $2 image, $3 folders' names, blanks between them, $4.. where its volumes are mounted. Two lines for each: its
# path, then its mark, empty without one.
# shellcheck disable=SC2016 # expands in the container
text='
names=$1
shift
for name in $names; do
  found=$(find "$@" -xdev -type d -name "$name" -prune) || exit 1
  [ -z "$found" ] || printf "%s\n" "$found" | sort -u | while read -r one; do
    mark=$(head -n 1 "$one/.moved" 2>/dev/null)
    # Nothing has come into it, or nothing is left in it.
    [ -n "$mark" ] || [ -n "$(ls "$one")" ] || continue
    printf "%s\n%s\n" "$one" "$mark"
  done
done
echo end
'
at_data "$text" "$@" </dev/null
