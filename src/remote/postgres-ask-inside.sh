# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh
# Answers the same SQL from each database.
# $1 nonce, $2 limit of one statement in seconds, $3 `own-path` to look names up as the database says, else `pinned`,
# $4 SQL, the rest connection strings (empty: the image's own database).
nonce=$1 limit=$2 text=$4
[ "$3" != own-path ] || session_options=$own_path_options
shift 4
# A lock that is waited for has to be told as that, not as a slow statement.
export PGOPTIONS="$session_options -c statement_timeout=${limit}s -c lock_timeout=$((limit * 1000 - 500))ms"
at=0
for database do
  rows=$(printf '%s\n' "$text" | sql -d "$database") || exit
  [ -z "$rows" ] || printf '%s\n' "$rows" | sed "s/^/$nonce $at /"
  at=$((at + 1))
done
printf '%s end 0\n' "$nonce"
