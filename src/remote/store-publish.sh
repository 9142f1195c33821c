# Gives finished files their final names. $1 directory of backups, $2.. paths in it: `PATH.partial` becomes `PATH`. A file
# that is already there is never replaced.
set -eu
cd "$1"
shift
for one; do
  if [ -e "$one" ]; then echo "error $one is already there" >&2; exit 1; fi
done
for one; do
  chmod 600 "$one.partial"
  sync "$one.partial"
  mv "$one.partial" "$one"
done
for one; do sync "$(dirname "$one")"; done
