# Every file `$2-*.json` in $1, or the $3 whose names sort last of those that end in $4, a line `NAME BYTES CONTENT` each, name and content in base64:
# whatever one of them holds, the others can be read. BYTES is -1 of one that cannot be. A directory that is not there holds
# none; one that cannot be read is an error.
set -eu
[ -e "$1" ] || { echo end; exit 0; }
cd "$1"
ls >/dev/null
word=$2 most=${3:-0} tail=${4:-.json}
set -- "$word"-*"$tail"
skip=$(($# - most))
[ "$most" -gt 0 ] || skip=0
for one; do
  [ "$skip" -le 0 ] || { skip=$((skip - 1)); continue; }
  bytes=$(wc -c 2>/dev/null <"$one") || bytes=-1
  # Gone since, or the pattern itself; a link to nothing is there.
  [ -e "$one" ] || [ -h "$one" ] || continue
  printf '%s %s ' "$(printf %s "$one" | base64 | tr -d '\n')" "$((bytes))"
  [ "$bytes" = -1 ] || base64 <"$one" | tr -d '\n'
  echo
done
echo end
