# Encrypts a file while it is still being written. $1 directory of backups, $2 path in it (`PATH.written` says that it is
# whole), $3 the name that it gets when it is proven, $4 path of the result, which grows as `PATH.growing`, $5 KiB that the result may take, $6 seconds without growth
# after which it is given up. Standard input: the public key. Prints `BYTES SHA256 SHA256-OF-THE-FILE`.
set -eu
umask 077
home=$(mktemp -d)
out=$4
trap 'rm -rf "$home"; rm -f "$out.growing"' EXIT
trap 'exit 1' TERM INT HUP
cat >"$home/key"
cd "$1"
quiet=0
until [ -e "$2" ]; do
  if [ -e "$3" ] || [ "$quiet" -ge $(($6 * 5)) ]; then echo "error $2 was not there" >&2; exit 1; fi
  quiet=$((quiet + 1))
  sleep 0.2
done
free=$(df -Pk . | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
[ "${free:-0}" -gt "$5" ] || { echo "error $1 has no room for the dump and its encrypted copy at once" >&2; exit 1; }
exec 4<"$2"

# What is there, and then what has come since, until the file has its name.
feed() {
  quiet=0 had=
  while :; do
    # The name is looked at before the bytes: what comes before it is all.
    if [ -e "$2" ] || [ -e "$1.written" ]; then whole=yes; else whole=; fi
    cat <&4
    if [ -n "$whole" ]; then : >"$home/whole"; return 0; fi
    [ -e "$1" ] || [ -e "$2" ] || return 0
    have=$(stat -L -c %s "/proc/self/fd/4")
    if [ "$have" != "$had" ]; then quiet=0 had=$have; fi
    quiet=$((quiet + 1))
    [ "$quiet" -le $(($3 * 5)) ] || return 0
    sleep 0.2
  done
}

encrypt() {
  code=0
  gpg --homedir "$home" --batch --no-tty --quiet --trust-model always --compress-algo none --recipient-file "$home/key" \
    --output - --encrypt || code=$?
  echo "$code" >"$home/code"
}

mkfifo "$home/plain" "$home/coded"
sha256sum <"$home/plain" >"$home/plain.sum" &
plain=$!
sha256sum <"$home/coded" >"$home/coded.sum" &
coded=$!
feed "$2" "$3" "$6" | tee "$home/plain" | encrypt | tee "$home/coded" >"$out.growing"
wait "$plain"
wait "$coded"
read -r code <"$home/code"
[ "$code" = 0 ] || { echo "error gpg ended with $code" >&2; exit 1; }
[ -e "$home/whole" ] || { echo "error $2 did not come to its end" >&2; exit 1; }
mv "$out.growing" "$out"
read -r plain _ <"$home/plain.sum"
read -r coded _ <"$home/coded.sum"
echo "$(($(wc -c <"$out"))) $coded $plain"
