# shellcheck shell=sh
# Reads a dump that somebody made, from standard input, and prints it as the SQL script that it is. $1 nonce, $2 its kind.
nonce=$1
case $2 in
plain) cat ;;
gzip) gzip -dc ;;
zstd) zstd -dcq ;;
archive) pg_restore -f - ;;
directory)
  directory=$(mktemp -d) || exit 1
  trap 'rm -rf "$directory"' EXIT
  tar -xf - -C "$directory" && pg_restore -f - "$directory"
  ;;
*) exit 64 ;;
esac || exit
printf '%s end 0\n' "$nonce" >&2
