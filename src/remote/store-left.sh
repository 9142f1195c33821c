# Files beside the backups that are none: what was replaced by a good copy, and what was half written. $1 directory of
# backups. Lines `BYTES SECONDS PATH`, the time of the last change and the path in base64, then `now` and the host's time.
set -eu
if [ -d "$1" ]; then
  cd "$1"
  for one in postgres/*.damaged.* dragonfly/*.damaged.* postgres/*.partial* dragonfly/*.partial* metadata/*.partial*; do
    [ -f "$one" ] || continue
    printf '%s %s\n' "$(stat -c '%s %Y' "$one")" "$(printf %s "$one" | base64 | tr -d '\n')"
  done
fi
echo "now $(date +%s)"
