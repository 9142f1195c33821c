# Removes for good what restores replaced, or had brought, and kept. $1 container, $2 image, $3 data directory, $4.. folders in it. One that has
# no mark is not theirs.
# shellcheck disable=SC2016 # expands in the container
text='
cd "$1" || exit 1
shift
for one; do
  case $one in *[!A-Za-z0-9._-]*) exit 1 ;; .pre-restore-?* | .failed-restore-?*) ;; *) exit 1 ;; esac
  [ -e "$one/.moved" ] || { echo "error $one is not what a restore replaced" >&2; exit 1; }
done
for one; do rm -rf "./$one" || exit 1; done
sync
'
at_data "$text" "$@" </dev/null
