# Writes, reads and removes one scratch key that would expire by itself. $1 container, $2 port, $3 key.
inside "$1" "$2" "$3" <<'INSIDE'
reply=$(ask SET "$1" "$1" EX 30 NX)
[ "$reply" = OK ] || { echo "SET answered: $reply"; exit 1; }
reply=$(ask GET "$1")
[ "$reply" = "$1" ] || { echo "GET answered: $reply"; exit 1; }
reply=$(ask DEL "$1")
[ "$reply" = 1 ] || { echo "DEL answered: $reply"; exit 1; }
echo ok
INSIDE
