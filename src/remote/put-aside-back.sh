# The way back of set-aside, from wherever that was cut off; does nothing when nothing is aside. $1 the parent folder, $2
# the directory's name, $3 its name aside, $4 the name under which what lies in its place now is kept. Says `kept` when
# something is kept there.
set -eu
cd "$1"
[ -e "./$3" ] || exit 0
if [ -e "./$2" ] && ! rmdir "./$2" 2>/dev/null; then
  [ ! -e "./$4" ] || { echo "$4 is there already" >&2; exit 1; }
  mv "./$2" "./$4"
fi
mv "./$3" "./$2"
sync
if [ -e "./$4" ]; then echo kept; fi
