# Files of backups that begin with one of some stems. $1 directory of backups, $2.. `FOLDER/BEGINNING`. One path a line.
set -eu
[ -d "$1" ] || exit 0
cd "$1"
shift
for stem; do
  for one in "$stem"*; do
    if [ -f "$one" ]; then printf '%s\n' "$one"; fi
  done
done
