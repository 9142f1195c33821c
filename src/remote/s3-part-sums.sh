# The MD5s of a file's parts. $1 file, $2 size of a part, $3 number of the last one. Lines `NUMBER MD5`.
set -u
number=0
while [ "$number" -lt "$3" ]; do
  sum=$(tail -c "+$((number * $2 + 1))" "$1" | head -c "$2" | md5sum)
  number=$((number + 1))
  echo "$number ${sum%% *}"
done
