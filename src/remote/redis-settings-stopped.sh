# The same for one that does not answer: $1 container. From its arguments and the configuration file they name; what
# neither says keeps the image's default.
workdir=$(docker inspect -f '{{.Config.WorkingDir}}' "$1") || exit 1
find_password "$1" || exit 1
unset password
: "${given:=}"
echo "dir ${workdir:-/data}"
wanted='dir|dbfilename|appendonly|appenddirname|appendfilename'
if [ -n "$conf" ]; then
  docker cp -L "$1:$conf" - | tar -xOf - | tr -d '"\r' | sed -n -E "s/^($wanted) +(.*)$/\1 \2/p"
fi
printf '%s\n' "$given" | sed 's/ --/\n--/g' | tr -d "\"'" | sed -n -E "s/^--($wanted)[= ]([^ ]*) *$/\1 \2/p"
