# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Dumps one database to standard output and counts its rows in the same snapshot, which is held open until both are done.
# Lines that begin with the nonce, on standard error, are ours; the last of them carries our exit code.
# $1 nonce, $2 connection string, $3 application name of this run, $4 format, $5 milliseconds to wait for a lock,
# $6 SQL that counts, $7 SQL that names who holds locks.
nonce=$1 database=$2 format=$4 count_sql=$6 blockers_sql=$7
PGAPPNAME=$3
dump='' count='' packer='' holder=''
# What a killed dump left: there is never more than one at a time.
rm -rf "${TMPDIR:-/tmp}"/infra-actions-dump.*
directory=$(mktemp -d "${TMPDIR:-/tmp}/infra-actions-dump.XXXXXX") || exit 1

finish() {
  code=$?
  trap - EXIT
  trap '' TERM INT HUP
  if [ "$code" != 0 ]; then
    printf '%s stopping\n' "$nonce" >&2
    for pid in $dump $packer; do kill "$pid" 2>/dev/null; done
    end_sessions "$PGAPPNAME"
  fi
  exec 3>&-
  for pid in $dump $packer $count $holder; do wait "$pid" 2>/dev/null; done
  unguard
  rm -rf "$directory"
  printf '%s end %s\n' "$nonce" "$code" >&2
  exit "$code"
}
trap finish EXIT
trap 'exit 143' TERM INT HUP
# A psql that could not connect must be an error here, not the death of this shell.
trap : PIPE
guard

mkfifo "$directory/in" "$directory/out" "$directory/raw" || exit 1
sql -d "$database" <"$directory/in" >"$directory/out" &
holder=$!
exec 3>"$directory/in" 4<"$directory/out"
cat >&3 <<'SQL'
begin isolation level repeatable read read only;
select pg_export_snapshot() || ' ' || current_setting('zero_damaged_pages') || ' ' || current_setting('ignore_checksum_failure');
SQL
read -r snapshot zero ignore <&4 || exit 1
if [ "$zero $ignore" != 'off off' ]; then
  echo 'zero_damaged_pages or ignore_checksum_failure is on: rows of damaged pages would be left out' >&2
  exit 1
fi

printf '%s\n' 'begin isolation level repeatable read read only;' "set transaction snapshot '$snapshot';" "\\set snapshot '$snapshot'" \
  "$count_sql" 'commit;' >"$directory/count.sql"
PGOPTIONS="$session_options -c lock_timeout=$5" sql -d "$database" -f "$directory/count.sql" >"$directory/counts" &
count=$!
set -- -w --snapshot="$snapshot" --lock-wait-timeout="$5" -d "$database"
into_directory() {
  exec pg_dump -Fd -j "$(table_jobs)" -f "$directory/dump" "$@"
}
case $format in
zstd) pg_dump -Fc --compress=zstd:1 "$@" & ;;
gzip) pg_dump -Fc -Z1 "$@" & ;;
# A tablespace that the target lacks would stop SQL half way.
plain) pg_dump -Fp -Z1 --no-tablespaces "$@" & ;;
directory-zstd) into_directory --compress=zstd:1 "$@" & ;;
directory-gzip) into_directory -Z1 "$@" & ;;
zstd-pipe)
  zstd -q -1 -T0 -c <"$directory/raw" &
  packer=$!
  pg_dump -Fc -Z0 "$@" >"$directory/raw" &
  ;;
*) exit 64 ;;
esac
dump=$!
wait "$dump"
dumped=$?
[ "$dumped" -le 128 ] || echo "pg_dump was ended by signal $((dumped - 128))" >&2
if [ "$dumped" != 0 ]; then
  printf '%s\n' "$blockers_sql" | PGAPPNAME=infra-actions-blockers sql -d "$database" | sed "s/^/$nonce blocker /" >&2
  exit 1
fi
# A directory is whole only now.
case $format in directory-*)
  tar -cf - -C "$directory/dump" . &
  packer=$!
  ;;
esac
[ -z "$packer" ] || wait "$packer" || exit
wait "$count" || exit
printf '%s\n' 'commit;' >&3
exec 3>&-
wait "$holder" || exit
sed "s/^/$nonce fact /" "$directory/counts" >&2
