# The same for one that does not answer: $1 container. From what Dragonfly reads of its environment, from the configuration
# file that its arguments name, and from these; what none of them says keeps the image's default. `workdir`: where it starts.
workdir=$(docker inspect -f '{{.Config.WorkingDir}}' "$1") || exit 1
environment=$(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$1") || exit 1
find_password "$1" || exit 1
unset password
: "${given:=}"
echo "workdir ${workdir:-/}"
echo "dir ${workdir:-/data}"
wanted='dir|dbfilename|appendonly|appenddirname|appendfilename'
printf '%s\n' "$environment" | sed -n -E "s/^DFLY_($wanted)=(.*)$/\1 \2/p"
: "${conf:=$(printf '%s\n' "$given" | tr ' ' '\n' | sed -n 's/^--flagfile=//p' | tail -n 1)}"
if [ -n "$conf" ]; then
  case $conf in /*) ;; *) conf=${workdir%/}/$conf ;; esac
  # By itself first, for a pipe tells only how its last part ended.
  docker cp -L "$1:$conf" - >/dev/null || { echo "error its configuration file $conf cannot be read" >&2; exit 1; }
  docker cp -L "$1:$conf" - | tar -xOf - | tr -d "\"'\r" | sed -n -E "s/^(--)?($wanted)[= ]+(.*)$/\2 \3/p"
fi
printf '%s\n' "$given" | sed 's/ --/\n--/g' | tr -d "\"'" | sed -n -E "s/^--($wanted)[= ]([^ ]*) *$/\1 \2/p"
