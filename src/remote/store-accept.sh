# Gives a file that has come in as `PATH.partial` its name when it is right. $1 directory of backups, $2 path in it,
# $3 bytes, $4 SHA-256.
set -eu
cd "$1"
if [ "$(($(wc -c <"$2.partial")))" != "$3" ] || [ "$(sha256sum <"$2.partial" | cut -d' ' -f1)" != "$4" ]; then
  rm -f "$2.partial"
  echo "error $2 came in with other bytes than its manifest says" >&2
  exit 1
fi
chmod 600 "$2.partial"
if [ -e "$2" ]; then mv "$2" "$2.damaged.$(date +%s)"; fi
sync "$2.partial"
mv "$2.partial" "$2"
sync "$(dirname "$2")"
