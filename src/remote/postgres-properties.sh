#!/bin/sh
# Prints the statements that make a dump's database, its owner, comment, rights and settings. Only the head of the file is read.
# $1 container, $2 session script, $3 nonce, $4 file, $5 how it is stored.
set -u
container=$1 session=$2 nonce=$3 file=$4 stored=$5
# Of a directory, the table of contents alone.
feed() { if [ "$stored" = directory ]; then tar -xOf "$file" ./toc.dat; else cat "$file" 2>/dev/null; fi; }
# shellcheck disable=SC2016 # expanded inside the container
open='directory=$(mktemp -d) || exit
trap "rm -rf \"$directory\"" EXIT
restore() {
  case $stored in
  zst) zstd -dcq 2>/dev/null | pg_restore "$@" ;;
  directory) cat >"$directory/toc.dat" && pg_restore "$@" "$directory" ;;
  *) pg_restore "$@" ;;
  esac
}'
list=$(feed | docker exec -i "$container" sh -c "$session
stored=\$1
$open
restore -l -C" sh "$stored") || exit
list=$(printf '%s\n' "$list" |
  grep -E '^[0-9]+; [0-9]+ [0-9]+ (DATABASE|DATABASE PROPERTIES|(COMMENT|ACL|SECURITY LABEL) - DATABASE) ')
# shellcheck disable=SC2016
feed | docker exec -i "$container" sh -c "$session
stored=\$1
$open
printf '%s\n' \"\$3\" >\"\$directory/list\"
restore -C -L \"\$directory/list\" -f - || exit
printf '%s end 0\n' \"\$2\"" sh "$stored" "$nonce" "$list"
