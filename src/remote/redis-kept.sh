# What restores replaced and kept, and what failed ones had brought. $1 container, $2 image, $3 data directory. Lines `KIB FOLDER MARK`; a folder without a mark
# was still being filled when its restore was cut, an empty one with a mark was taken back.
# shellcheck disable=SC2016 # expands in the container
text='
cd "$1" || exit 1
for one in .pre-restore-* .failed-restore-*; do
  [ -d "$one" ] && [ -n "$(ls "$one")" ] || continue
  printf "%s %s %s\n" "$(du -sk "$one" | cut -f1)" "$one" "$(head -n 1 "$one/.moved" 2>/dev/null)"
done
echo end
'
at_data "$text" "$1" "$2" "$3" </dev/null
