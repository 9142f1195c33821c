# Brings one file of a snapshot beside the live data. $1 container, $2 image, $3 data directory in the container, $4 id
# of the restore, $5 file on the host, $6 its SHA-256, $7 name of the file beside. What an earlier restore of the same run
# has kept gets a number: its name is needed.
# shellcheck disable=SC2016 # expands in the container
text='
dir=$1 folder=$1/.restore-$2 sum=$3 name=$4 need=$5
umask 077
free=$(df -Pk "$dir" | sed -n "2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p")
[ "${free:-0}" -ge "$need" ] || { echo "error $dir has ${free:-no known} KiB free, the snapshot needs $need KiB" >&2; exit 1; }
kept=$dir/.pre-restore-$2 number=1
if [ -e "$kept" ]; then
  while [ -e "$kept.$number" ]; do number=$((number + 1)); done
  mv "$kept" "$kept.$number" || exit 1
fi
mkdir -p "$folder" && cat >"$folder/$name" || exit 1
[ "$(sha256sum <"$folder/$name" | cut -d" " -f1)" = "$sum" ] || { echo "error $name changed on its way" >&2; rm -f "$folder/$name"; exit 1; }
chown "$(stat -c %u:%g "$dir")" "$folder" "$folder/$name" && sync
'
at_data "$text" "$1" "$2" "$3" "$4" "$6" "$7" "$(($(wc -c <"$5") / 1024 + 1024))" <"$5"
