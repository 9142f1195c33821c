#!/bin/sh
# Prints the statements that make a dump's database, its owner, comment, rights and settings. Only the head of the file is read.
# $1 container, $2 session script, $3 nonce, $4 file, $5 `zst` or `plain`.
set -u
container=$1 session=$2 nonce=$3 file=$4 packing=$5
# shellcheck disable=SC2016 # expanded inside the container
unpack='if [ "$2" = zst ]; then zstd -dcq 2>/dev/null; else cat; fi'
list=$(docker exec -i "$container" sh -c "$session
$unpack | pg_restore -l -C" sh "$nonce" "$packing" <"$file") || exit
list=$(printf '%s\n' "$list" |
  grep -E '^[0-9]+; [0-9]+ [0-9]+ (DATABASE|DATABASE PROPERTIES|(COMMENT|ACL|SECURITY LABEL) - DATABASE) ')
# shellcheck disable=SC2016
docker exec -i "$container" sh -c "$session
list=\$(mktemp) || exit
trap 'rm -f \"\$list\"' EXIT
printf '%s\n' \"\$3\" >\"\$list\"
$unpack | pg_restore -C -L \"\$list\" -f - || exit
printf '%s end 0\n' \"\$1\"" sh "$nonce" "$packing" "$list" <"$file"
