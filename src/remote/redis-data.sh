# at_data TEXT CONTAINER IMAGE [ARG...]: runs the sh text as root in a container without network that has the volumes of
# CONTAINER, since only the server's own user may read them; standard input goes to it.
at_data() {
  text=$1 container=$2 image=$3
  shift 3
  docker run --rm -i --network none --label infra-actions.scratch=1 --user 0 --volumes-from "$container" \
    --entrypoint sh "$image" -c "$text" at-data "$@"
}

# aside TO: moves all that a start would load out of the way; nothing is removed. $file, $append: as the server is set up.
candidates() {
  cat <<'INSIDE'
aside() {
  mkdir -p -m 700 "$1" || exit 1
  for one in "$dir/$file" "$dir/$append" "$dir"/temp-*.rdb "$dir"/appendonly.aof "$dir"/*.dfs "$dir"/*.rdb "$dir"/*.tmp; do
    if [ -e "$one" ] && [ "$one" != "$dir/" ]; then mv "$one" "$1/" || exit 1; fi
  done
}
INSIDE
}
