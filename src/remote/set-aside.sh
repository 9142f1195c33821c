# Runs as root in a container: gives a data directory another name, and puts an empty one with the same owner in its
# place. $1 the parent folder, $2 the directory's name, $3 its name aside.
set -eu
cd "$1"
[ ! -e "./$3" ] || { echo "$3 is there already" >&2; exit 1; }
[ -d "./$2" ] || { echo "$2 is no directory" >&2; exit 1; }
owner=$(stat -c %u:%g "./$2")
mv "./$2" "./$3"
mkdir -m 700 "./$2"
chown "$owner" "./$2"
sync
