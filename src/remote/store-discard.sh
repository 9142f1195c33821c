# Removes the files of a backup that was never published. $1 directory of backups, $2 where its manifest would lie, $3..
# the files. One with a manifest is a backup: it is not touched.
set -eu
[ -d "$1" ] || exit 0
cd "$1"
if [ -e "$2" ]; then echo "error $2 is there: this backup is published and stays" >&2; exit 1; fi
rm -f -- "$2.partial"
shift 2
for one; do rm -f "$one" "$one.partial"; done
