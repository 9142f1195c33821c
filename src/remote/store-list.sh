# Every file `$2-*.json` in $1, or the $3 whose names sort last, each after a line `BYTES NAME`, then a newline. A directory
# that is not there holds none; one that cannot be read is an error.
set -eu
[ -e "$1" ] || { echo end; exit 0; }
cd "$1"
ls >/dev/null
word=$2 most=${3:-0}
set -- "$word"-*.json
skip=$(($# - most))
[ "$most" -gt 0 ] || skip=0
for one; do
  [ -e "$one" ] || continue
  [ "$skip" -le 0 ] || { skip=$((skip - 1)); continue; }
  printf '%s %s\n' "$(($(wc -c <"$one")))" "$one"
  cat "$one"
  echo
done
echo end
