# at_data TEXT CONTAINER IMAGE [ARG...]: runs the sh text as root in a container without network that has the volumes of
# CONTAINER, since only the server's own user may read them; standard input goes to it. As process 1 a shell hears TERM only
# by a trap, and while it waits; when it ends, so does all that is in the container.
at_data() {
  text=$1 container=$2 image=$3
  shift 3
  docker run --rm -i --network none --label infra-actions.scratch=1 --user 0 --volumes-from "$container" \
    --entrypoint sh "$image" -c 'exec 3<&0; trap "exit 143" TERM; sh -c "$0" at-data "$@" <&3 3<&- & wait "$!"' "$text" "$@"
}

# aside TO: moves all that a start would load out of the way; nothing is removed. $file, $append: as the server is set up.
# moved TO MARK: says that all of it is there, since when, and what TO is: wholly or not at all, also after a crash of the
# host. begin_append DIRECTORY LOG: with the append-only file on, the snapshot alone is ignored and then overwritten: it must
# be the base of that file.
candidates() {
  cat <<'INSIDE'
umask 077
owner=$(stat -c %u:%g "$1") || exit 1
aside() {
  mkdir -p -m 700 "$1" || exit 1
  for one in "$dir/$file" "$dir/$append" "$dir"/temp-*.rdb "$dir"/appendonly.aof "$dir"/*.dfs "$dir"/*.rdb "$dir"/*.tmp; do
    if [ -e "$one" ] && [ "$one" != "$dir/" ]; then mv "$one" "$1/" || exit 1; fi
  done
}
moved() {
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" >"$1/.moved.t" && chown "$owner" "$1" && sync || exit 1
  mv -f "$1/.moved.t" "$1/.moved" && sync || exit 1
}
begin_append() {
  mkdir -m 700 "$dir/$1" && ln "$dir/$file" "$dir/$1/$2.1.base.rdb" || exit 1
  echo "file $2.1.base.rdb seq 1 type b" >"$dir/$1/$2.manifest" && chown -R "$owner" "$dir/$1" || exit 1
}
INSIDE
}
