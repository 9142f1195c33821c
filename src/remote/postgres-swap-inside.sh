# shellcheck shell=sh
# Runs the transaction that renames databases, read from standard input, while every session in them is ended again and again.
# A rename takes the database's lock first, so newcomers queue behind it and cannot win. The two sessions here, both named
# infra-actions-swap, are never ended.
# $1 nonce, $2 names of the databases as a JSON array.
nonce=$1 names=$2
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
cat >"$directory/swap.sql"
end_clients() {
  PGAPPNAME=infra-actions-swap sql -d template1 -v names="$names" <<'SQL'
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname in (select * from json_array_elements_text(:'names')) and application_name <> 'infra-actions-swap';
SQL
}
for try in 1 2 3; do
  rm -f "$directory/code"
  {
    PGAPPNAME=infra-actions-swap sql -d template1 -f "$directory/swap.sql" 2>"$directory/error"
    echo "$?" >"$directory/code.t"
    mv "$directory/code.t" "$directory/code"
  } &
  until [ -e "$directory/code" ]; do
    # No free connection at this moment: ended sessions free some, so it goes on for as long as the swap itself.
    end_clients >/dev/null 2>&1 || :
    sleep 0.1
  done
  wait
  read -r code <"$directory/code" || exit 1
  if [ "$code" = 0 ]; then
    printf '%s tries %s\n%s end 0\n' "$nonce" "$try" "$nonce"
    exit 0
  fi
  grep -q 'is being accessed by other users' "$directory/error" || break
done
cat "$directory/error" >&2
exit 1
