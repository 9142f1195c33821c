# shellcheck shell=sh
# Decodes a stored dump, read from standard input, to its last byte, and says what data it holds: the table of each
# archived one, the number of rows of each in SQL. $1 nonce, $2 how it is stored: `directory` or `sql`; `archive` or `zst`
# only decode, for their tables stand in `archive-head` and `zst-head`, of which only the head is read.
nonce=$1 stored=$2
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
bad() { echo 'the stored dump does not decode to its end' >&2; exit 1; }
# A reader takes everything, so that nobody upstream fails for want of one.
taking_all() { "$@"; code=$?; cat >/dev/null; return "$code"; }
list_tables() { sed -n "s/^[0-9]*; [0-9]* \([0-9]*\) TABLE DATA .*/$nonce data \1/p" "$1"; }

check_zst() {
  mkfifo "$directory/raw" || exit 1
  taking_all pg_restore -f /dev/null <"$directory/raw" &
  decode=$!
  zstd -dcq >"$directory/raw"
  unpacked=$?
  wait "$decode"; decoded=$?
  [ "$unpacked $decoded" = '0 0' ] || bad
}

check_directory() {
  mkdir "$directory/dump" || exit
  taking_all tar -xf - -C "$directory/dump" || bad
  # pg_restore takes a file without a byte for an empty table; pg_dump writes none.
  [ -z "$(find "$directory/dump" -type f -size 0)" ] || bad
  pg_restore -f /dev/null "$directory/dump" || bad
  pg_restore -l "$directory/dump" >"$directory/list" || bad
  list_tables "$directory/list"
}

# A row is a line; a COPY begins behind the comment that pg_dump writes before a table's data, or it is part of a text.
check_sql() {
  mkfifo "$directory/raw" || exit 1
  awk -v mark="$nonce data" '
    rows { if ($0 == "\\.") { print mark, n; rows = 0 } else n++; next }
    /^-- Data for Name: .*; Type: TABLE DATA;/ { expected = 1; next }
    expected && /^COPY / { copy = 1 }
    copy && / FROM stdin;$/ { rows = 1; n = expected = copy = 0; next }
    $0 == "-- PostgreSQL database dump complete" { complete = 1 }
    END { exit complete && !rows ? 0 : 1 }' <"$directory/raw" &
  count=$!
  gzip -dcq >"$directory/raw"
  unpacked=$?
  wait "$count"; counted=$?
  [ "$unpacked $counted" = '0 0' ] || bad
}

case $stored in
archive) taking_all pg_restore -f /dev/null || bad ;;
zst) check_zst ;;
archive-head) pg_restore -l >"$directory/list" && list_tables "$directory/list" ;;
zst-head) zstd -dcq 2>/dev/null | pg_restore -l >"$directory/list" && list_tables "$directory/list" ;;
directory) check_directory ;;
sql) check_sql ;;
esac || exit
printf '%s end 0\n' "$nonce"
