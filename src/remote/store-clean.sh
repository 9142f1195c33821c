# Makes the directory of backups ready: $1, with the folders in it, mode 700. Removes half written files that nobody has
# written to for a day, and prints what went: another project or environment may have its backups here as well, and a lock of its own.
set -eu
umask 077
mkdir -p "$1"
cd "$1"
mkdir -p postgres dragonfly metadata
chmod 700 . postgres dragonfly metadata
find . -mindepth 2 -maxdepth 2 -type f \( -name '*.partial' -o -name '*.partial.*' \) -mmin +1440 | while read -r one; do
  rm -f "$one"
  echo "${one#./}"
done
