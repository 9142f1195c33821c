# Which of some directories are there. $1 their parent, $2.. names. Lines `KIB NAME`, then `end`.
set -eu
cd "$1"
shift
for one; do
  [ -d "./$one" ] || continue
  size=$(du -sk "./$one" | cut -f1)
  printf '%s %s\n' "$size" "$one"
done
echo end
