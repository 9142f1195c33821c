# Publishes one small file. $1 directory of backups, $2 path in it, $3 its length in bytes; the content comes on standard
# input. It is whole under its final name or not there at all.
set -eu
umask 077
mkdir -p "$1/$(dirname "$2")"
cd "$1"
chmod 700 . "$(dirname "$2")"
if [ -e "$2" ]; then echo "error $2 is already there" >&2; exit 1; fi
trap 'rm -f "$2.partial"' EXIT
cat >"$2.partial"
[ "$(($(wc -c <"$2.partial")))" = "$3" ] || { echo "error $2 came in cut short" >&2; exit 1; }
sync "$2.partial"
mv "$2.partial" "$2"
sync "$(dirname "$2")"
