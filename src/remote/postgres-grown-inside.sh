# shellcheck shell=sh
# How large a database is by now. $1 its name.
sql -d template1 -v name="$1" <<'SQL'
select pg_database_size(:'name');
SQL
