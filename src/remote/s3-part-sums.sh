# The MD5s of a file's parts, and the SHA-256 of the same bytes. $1 file, $2 size of a part in whole MiB of bytes, $3 number of
# the last one. Lines `NUMBER MD5`, at last `sum SHA256`.
set -u
work=$(mktemp -d) && mkfifo "$work/stream" || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' TERM INT HUP
if openssl md5 -r </dev/null >/dev/null 2>&1; then md5() { openssl md5 -r; }; else md5() { md5sum; }; fi
sha256 <"$work/stream" >"$work/sum" & summing=$!
exec 7>"$work/stream"
number=0
while [ "$number" -lt "$3" ]; do
  sum=$(dd if="$1" bs=1048576 skip=$((number * ($2 / 1048576))) count=$(($2 / 1048576)) 2>/dev/null | tee "$work/stream" | md5)
  number=$((number + 1))
  echo "$number ${sum%% *}"
done
exec 7>&-
wait "$summing"
read -r sum _ <"$work/sum"
echo "sum $sum"
