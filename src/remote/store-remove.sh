# Removes a backup: $1 directory of backups, $2 the manifest, $3.. the files it names. The manifest goes first and for
# good: from then on the backup does not exist, whatever happens next.
set -eu
cd "$1"
rm -f "$2"
sync "$(dirname "$2")"
shift 2
for one; do rm -f "$one"; done
