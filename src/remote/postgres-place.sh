# shellcheck shell=sh disable=SC2034,SC2154 # what is set here is for the scripts that follow, which set $work
# Where the programs of a Postgres image run. As a rule beside the server, in a throw-away container of its image and in
# its network, which reads a file of the host and writes to a pipe of the host: the pipes of `docker exec` take up to half
# of a dump's time. Where that cannot be, inside the server's container, through those pipes.
#
# After `place_open` scripts run there by `there SCRIPT ARG...`, with these before them. All that is started keeps descriptor 8
# closed (8>&-): as long as we alone hold it open, the container beside ends when we do.
#   $place_login   takes $login, a line for each thing, from standard input, to log in
#   $place_from    makes the file the standard input         $place_to    makes the pipe the standard output
# They are empty inside the server's own container: standard input and output are those of `there` then.

there() { docker exec -i "$place" sh -c "$@"; }

# place_open CONTAINER IMAGE NONCE LOGIN WHOLE FILE PIPE: LOGIN is the script that tells how to log in, WHOLE the one that
# tells whether all is right there. An empty IMAGE: inside the server's container. $place_beside is empty then.
place_open() {
  place=$1 login='' place_login='' place_from='' place_to='' place_beside='' place_pid=''
  [ -n "$2" ] || return 0
  if place_start "$@" >/dev/null 2>"$work/place-said"; then place_beside=1 && return; fi
  place_close
  place=$1 login='' place_login='' place_from='' place_to=''
  printf '%s inside %s\n' "$3" "$(grep -m 1 . "$work/place-said")"
}

place_start() {
  login=$(docker exec "$1" sh -c "$4") || return
  # It ends by itself when its input does, so what is left never ran, or lost the daemon that held its input. One for another
  # server may be just being made, so that has a minute. What cannot be removed is not in our way.
  place_left=$(docker ps --all --no-trunc --format '{{.ID}} {{.State}} {{.Label "infra-actions.beside"}} {{.RunningFor}}') || return
  place_left=$(printf '%s\n' "$place_left" | awk -v server="$1" '
    { state[$1] = $2; if ($3 ~ /^[0-9a-f]+$/ && length($3) == 64) of[$1] = $3; young[$1] = / seconds? ago$/ }
    END { for (id in of) if (of[id] == server || !(of[id] in state) || !young[id] && state[id] ~ /^(created|exited|dead)$/) print id }')
  # shellcheck disable=SC2086 # a list of ids
  [ -z "$place_left" ] || docker rm --force --volumes $place_left || :
  # Whoever may read the file there is who may read it here, and nobody else.
  place_user=$(stat -c %u:%g "$6") && chown "$place_user" "$7" && mkfifo "$work/place-open" "$work/place-ready" || return
  # Compose's labels are emptied: an image that compose has built hands its own on.
  docker run --rm -i --name "infra-actions-$3" --network "container:$1" --pull never --no-healthcheck --log-driver none \
    --cap-drop ALL --security-opt no-new-privileges --user "$place_user" --workdir / --oom-score-adj 500 \
    --label "infra-actions.beside=$1" --label com.docker.compose.project= --label com.docker.compose.service= \
    --label com.docker.compose.oneoff= --mount "type=bind,source=$6,target=/infra-actions/file,readonly" \
    --mount "type=bind,source=$7,target=/infra-actions/pipe" --entrypoint sh "$2" -c "$place_keep" \
    <"$work/place-open" >"$work/place-ready" &
  place_pid=$!
  exec 8>"$work/place-open"
  timeout 60 head -n 1 "$work/place-ready" 8>&- | grep -q . || return
  place=infra-actions-$3
  # shellcheck disable=SC2016 # expanded there
  place_login='IFS= read -r user && IFS= read -r password && IFS= read -r database && IFS= read -r place_server || exit
POSTGRES_USER=$(printf %b "$user") POSTGRES_PASSWORD=$(printf %b "$password") POSTGRES_DB=$(printf %b "$database")
unset POSTGRES_USER_FILE POSTGRES_PASSWORD_FILE POSTGRES_DB_FILE
'
  place_from='exec </infra-actions/file
' place_to='exec >/infra-actions/pipe
'
  printf '%s\n' "$login" | timeout 30 docker exec -i "$place" sh -c "$place_login$place_to$5" sh "$3" "$(wc -c <"$6")" \
    >"$7" 8>&- &
  place_whole=$(timeout 30 cat "$7" 8>&-)
  wait "$!" && [ "$place_whole" = "$3 end 0" ]
}

# What that container does: nothing until its input ends, as it does whatever becomes of us. Then it ends what still runs
# there, and waits until that has ended its sessions.
# shellcheck disable=SC2016 # expanded there
place_keep='echo ready
cat >/dev/null
kill -TERM -1 2>/dev/null
tries=0
while set -- /proc/[0-9]* && [ "$#" -gt 1 ] && [ "$tries" -lt 300 ]; do
  sleep 0.1
  tries=$((tries + 1))
done'

place_close() {
  [ -n "${place_pid:-}" ] || return 0
  exec 8>&-
  wait "$place_pid"
  place_pid=''
}
