# Gives a file that has come in as `PATH.partial` its name when it is right. $1 directory of backups, $2 path in it,
# $3 bytes, $4 SHA-256. A right file that is there already stays; a damaged one is moved aside.
set -eu
cd "$1"
bytes=$3 sum=$4
right() { [ "$(stat -c %s "$1")" = "$bytes" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$sum" ]; }
if [ -e "$2" ] && right "$2"; then rm -f "$2.partial"; exit 0; fi
if ! right "$2.partial"; then
  rm -f "$2.partial"
  echo "error $2 came in with other bytes than its manifest says" >&2
  exit 1
fi
chmod 600 "$2.partial"
# Before the damaged one goes: then there is hardly a moment without a file of this name.
sync "$2.partial"
if [ -e "$2" ]; then mv "$2" "$2.damaged.$(date +%s)"; fi
mv "$2.partial" "$2"
sync "$(dirname "$2")"
