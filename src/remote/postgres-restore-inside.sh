# shellcheck shell=sh disable=SC2154,SC2034 # follows postgres-session.sh
# Restores an archive into a new database beside the live one, and counts what came in.
# $1 length of the archive in bytes, $2 its file, `-` for standard input, $3 nonce, $4 application name of this run,
# $5 how it is stored, $6 SQL that makes the database, $7 SQL that drops it, $8 its connection string, $9 SQL that counts; the
# rest are further options of pg_restore.
bytes=$1 stored=$2 nonce=$3 packing=$5 create_sql=$6 drop_sql=$7 database=$8 count_sql=$9
PGAPPNAME=$4
shift 9
# No commit waits for the disk: there are some for each table, and one at the end waits for all of them. Tables and indexes
# come several at a time, so none of them needs helpers (nor the shared memory of a container, which is small).
quickly='-c synchronous_commit=off -c max_parallel_maintenance_workers=0 -c temp_file_limit=-1'
# A trigger on logins that writes would change what just came back.
[ "$server_major" -lt 17 ] || quickly="$quickly -c event_triggers=off"
PGOPTIONS="$session_options $quickly"
# What a killed restore left: there is never more than one at a time.
rm -rf "${TMPDIR:-/tmp}"/infra-actions-restore.*
directory=$(mktemp -d "${TMPDIR:-/tmp}/infra-actions-restore.XXXXXX") || exit 1
running='' running_is=''

finish() {
  code=$?
  trap - EXIT
  trap '' TERM INT HUP
  [ "$code" = 0 ] || printf '%s stopping\n' "$nonce" >&2
  if [ -n "$running" ]; then
    # A shell that runs psql must live to wait for it; psql ends with its session, which it may not have yet.
    [ "$running_is" = function ] || kill "$running" 2>/dev/null
    end_sessions "$PGAPPNAME"
    until [ "$running_is" = program ] || [ -e "$directory/ended" ]; do sleep 0.2; end_sessions "$PGAPPNAME"; done
    wait "$running" 2>/dev/null
  fi
  unguard
  rm -rf "$directory"
  printf '%s end %s\n' "$nonce" "$code"
  exit "$code"
}
trap finish EXIT
trap 'exit 143' TERM INT HUP

if [ "$stored" = - ]; then
  stored=$directory/stored
  head -c "$bytes" >"$stored" || exit
  [ "$(wc -c <"$stored")" -eq "$bytes" ] || { echo 'the dump did not arrive whole' >&2; exit 1; }
fi
guard
# In the background, with a wait, everything that takes long: a trap runs only between commands. What failed stays noted for
# `finish`, which ends its sessions.
run() {
  rm -f "$directory/ended"
  case $1 in
  run_script | settle)
    running_is=function
    { "$@"; code=$?; : >"$directory/ended"; exit "$code"; } &
    ;;
  *)
    running_is=program
    "$@" &
    ;;
  esac
  running=$!
  wait "$running" || return
  running=
}
archive=$stored
case $packing in zst | directory)
  archive=$directory/archive
  if [ "$packing" = zst ]; then
    run zstd -dq -o "$archive" "$stored" || exit
  else
    mkdir "$archive" || exit
    run tar -xf "$stored" -C "$archive" || exit
  fi
  rm -f "$directory/stored"
  ;;
esac
[ "$packing" = sql ] || pg_restore -l "$archive" >"$directory/list" || exit
printf '%s\n' "$create_sql" | sql -d template1 || exit

# Apart and last: refreshes with row security on, since a forced policy on a base table makes them an error otherwise;
# after them event triggers, which could forbid whatever comes later.
entry='^[0-9]+; [0-9]+ [0-9]+'
refreshes="$entry MATERIALIZED VIEW DATA "
event_triggers="$entry ((COMMENT|SECURITY LABEL) - )?EVENT TRIGGER "
no_tablespace='invalid value for parameter "default_tablespace"|tablespace ".*" does not exist'
restore_archive() {
  placing=yes path=empty
  grep -v -E "$refreshes|$event_triggers" "$directory/list" >"$directory/all"
  # Without rows there is little to gain by several at a time.
  case " $* " in *' --schema-only '*) jobs=1 ;; *) jobs=$(table_jobs) ;; esac
  until restore_most "$@"; do
    code=$?
    if [ "$jobs" -gt 1 ] && grep -q 'deadlock detected' "$directory/errors"; then
      # Several at a time can dead-lock, over keys between tables or in functions of theirs. One cannot.
      jobs=1
    elif [ "$placing" ] && grep -q -E "$no_tablespace" "$directory/errors"; then
      # A directory that no backup holds: what lay there goes to the default one.
      placing=''
      set -- --no-tablespaces "$@"
    elif [ "$path" = empty ] && grep -q -E 'ERROR: +(relation|function|type|operator) .* does not exist' "$directory/errors"; then
      # A function that an index, a check or a generated column calls finds its tables by the database's own path only.
      path=own
    else
      cat "$directory/errors" >&2
      exit "$code"
    fi
    end_sessions "$PGAPPNAME"
    printf '%s\n%s\n' "$drop_sql" "$create_sql" | sql -d template1 || exit
  done
  # A view may not be made of tables without rows.
  case " $* " in *' --schema-only '*) ;; *) refresh_views ;; esac
  case " $* " in *' --no-tablespaces '*) tell_displaced ;; esac
  grep -E "$event_triggers" "$directory/list" >"$directory/late" || return 0
  run pg_restore -w --exit-on-error -L "$directory/late" -d "$database" "$archive" || exit
}
# What lies in the default tablespace now and lay in another: its name stands above each statement that pg_restore prints.
tell_displaced() {
  grep -E "$entry (TABLE|INDEX|MATERIALIZED VIEW|CONSTRAINT) " "$directory/list" >"$directory/some" || return 0
  run pg_restore --schema-only -L "$directory/some" -f "$directory/statements" "$archive" || exit
  sed -n "s/^-- Name: \(.*\); Type: [A-Z ]*; Schema: \(.*\); Owner: .*; Tablespace: \(.*\)$/$nonce displaced \2.\1 (\3)/p" \
    "$directory/statements"
}
# A view that cannot be filled (its owner may not read a table any more, another server does not answer) loses no data: each of
# them is told, and stops nothing. What is no fault of a view does: a full disk, a server that ends.
no_fault_of_a_view='ERROR: +(53|57|58|XX)|FATAL: |PANIC: '
refresh_views() {
  grep -E "$refreshes" "$directory/list" >"$directory/late" || return 0
  if ! run run_script refreshing 2>"$directory/errors" || grep -q -E "$no_fault_of_a_view" "$directory/errors"; then
    cat "$directory/errors" >&2
    exit 1
  fi
  grep -q 'ERROR: ' "$directory/errors" || return 0
  sed -E "s/$refreshes//" "$directory/late" >"$directory/wanted"
  sql -v wanted="$(cat "$directory/wanted")" -d "$database" >"$directory/unfilled" <<'END' || exit
select to_json(format('%I.%I', nspname, relname))
from pg_class c join pg_namespace n on n.oid = relnamespace join pg_roles r on r.oid = relowner
where relkind = 'm' and not relispopulated
  and translate(concat_ws(' ', nspname, relname, rolname), e'\r\n', '  ') = any (string_to_array(:'wanted', e'\n'))
order by c.oid;
END
  [ -s "$directory/unfilled" ] || { cat "$directory/errors" >&2; exit 1; }
  sed "s/^/$nonce unfilled /" "$directory/unfilled"
  sed -n "s/^.*ERROR: */$nonce reason /p" "$directory/errors" | sort -u
}
refreshing() {
  printf '%s\n' '\set ON_ERROR_STOP off' '\set VERBOSITY verbose'
  pg_restore -L "$directory/late" -f - "$archive"
}
restore_most() {
  if [ "$path" = empty ]; then
    run pg_restore -w --exit-on-error "$@" -j "$jobs" -L "$directory/all" -d "$database" "$archive"
  else
    run run_script pg_restore "$@" -L "$directory/all" -f - "$archive"
  fi 2>"$directory/errors"
}

# Runs the SQL that a command prints, all by one session: with row security on, without event triggers, and by the path of the
# database itself behind the system's, where the dump has an empty one: what it calls may need it.
own_path_sql="select set_config('search_path', 'pg_catalog, ' || current_setting('search_path'), false);"
run_script() {
  { "$@" || : >"$directory/cut"; } | {
    while IFS= read -r line && [ "$line" != 'SET row_security = off;' ]; do
      case $line in "SELECT pg_catalog.set_config('search_path', "*) line=$own_path_sql ;; esac
      printf '%s\n' "$line"
    done
    echo 'SET row_security = on;'
    cat
  } | PGOPTIONS="$own_path_options $quickly -c session_replication_role=replica" sql -d "$database" -f - || return
  [ ! -e "$directory/cut" ] || { echo 'the stored dump does not decode to its end' >&2; return 1; }
}
if [ "$packing" = sql ]; then run run_script gzip -dcq "$archive" || exit; else restore_archive "$@"; fi
printf '%s\n' "$count_sql" >"$directory/count.sql"
settle() {
  sql -d "$database" -f "$directory/count.sql" >"$directory/counts" &
  counting=$!
  # What an index calls, it calls too.
  PGOPTIONS="$own_path_options $quickly" sql -d "$database" -c 'analyze'
  analyzed=$?
  wait "$counting" && return "$analyzed"
}
run settle || exit
PGOPTIONS="$session_options -c synchronous_commit=local" sql -d "$database" -c \
  "select from pg_logical_emit_message(true, 'infra-actions', 'restored')" || exit
sed "s/^/$nonce fact /" "$directory/counts"
subscriptions=$(sql -d "$database" -c "select count(*) from pg_subscription s join pg_database d on d.oid = subdbid where datname = current_database()") || exit
printf '%s subscriptions %s\n' "$nonce" "$subscriptions"
