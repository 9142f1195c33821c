# shellcheck shell=sh
# Decodes a stored archive, read from standard input, to its last byte, and lists the tables whose data it holds.
# $1 nonce, $2 `zst` when the archive as a whole is compressed.
nonce=$1
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
mkfifo "$directory/raw" "$directory/all" "$directory/head" || exit 1
# Both readers take everything, so that nobody upstream fails for want of one.
{ pg_restore -f /dev/null; code=$?; cat >/dev/null; exit "$code"; } <"$directory/all" &
decode=$!
{ pg_restore -l; code=$?; cat >/dev/null; exit "$code"; } <"$directory/head" >"$directory/list" &
list=$!
tee "$directory/all" <"$directory/raw" >"$directory/head" &
copy=$!
if [ "$2" = zst ]; then zstd -dcq >"$directory/raw"; else cat >"$directory/raw"; fi
unpack=$?
wait "$copy"; copied=$?
wait "$decode"; decoded=$?
wait "$list"; listed=$?
[ "$unpack $copied $decoded $listed" = '0 0 0 0' ] || { echo 'the stored dump does not decode to its end' >&2; exit 1; }
sed -n "s/^[0-9]*; [0-9]* \([0-9]*\) TABLE DATA .*/$nonce data \1/p" "$directory/list"
printf '%s end 0\n' "$nonce"
