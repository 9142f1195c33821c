# Makes the directory of backups ready: $1, with the folders in it, mode 700. Removes half written files of runs that are
# dead and prints what went.
set -eu
umask 077
mkdir -p "$1"
cd "$1"
mkdir -p postgres dragonfly metadata
chmod 700 . postgres dragonfly metadata
for one in */*.partial */*.partial.*; do
  [ -e "$one" ] || continue
  rm -f "$one"
  echo "$one"
done
