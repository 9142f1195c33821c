# Where a redis-compatible server that answers keeps its data. $1 container, $2 port. Lines `name value`.
inside "$1" "$2" <<'INSIDE'
settings_told
for name in dir dbfilename appendonly appenddirname appendfilename; do
  printf '%s %s\n' "$name" "$(setting "$name")"
done
INSIDE
