# Sends a STUN binding request (RFC 8489 6) to a TURN server. $1 = container id, $2 = port inside it,
# $3 = address of the container as the host sees it, $4 = seconds to wait.
# Prints the way that was taken and ends with 0 when a binding response came;
# 10: neither the container nor the host has a program to ask with; 11: no answer.
container=$1 port=$2 address=$3 wait=$4
said=$(timeout -k 1 "$wait" docker exec "$container" turnutils_stunclient -p "$port" 127.0.0.1 2>&1)
code=$?
case $said in
  *"reflexive addr"*) echo turnutils_stunclient; exit 0 ;;
esac
# 126 and 127: the program is not in the image. Anything else is the server's silence.
if [ "$code" -ne 126 ] && [ "$code" -ne 127 ]; then
  printf '%s\n' "$said" | tail -n 1 >&2
  exit 11
fi
command -v nc >/dev/null 2>&1 || exit 10
# Type 0x0001, length 0, magic cookie, twelve bytes of transaction id; the answer's type is 0x0101.
answer=$(printf '\000\001\000\000\041\022\244\102infra-action' | timeout -k 1 "$wait" nc -u -w 1 "$address" "$port" | od -An -tx1 -N2 | tr -d ' \n')
[ "$answer" = 0101 ] || exit 11
echo nc
