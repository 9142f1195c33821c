# Every manifest in $1, each after a line `BYTES NAME`, then a newline. A directory that is not there holds none; one that
# cannot be read is an error.
set -eu
[ -e "$1" ] || { echo end; exit 0; }
cd "$1"
ls >/dev/null
for one in backup-*.json; do
  [ -e "$one" ] || continue
  printf '%s %s\n' "$(($(wc -c <"$one")))" "$one"
  cat "$one"
  echo
done
echo end
