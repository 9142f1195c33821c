# Encrypts a file for whoever has the private key. $1 directory of backups, $2 path in it, $3 path of the result. Standard
# input: the public key. Prints `BYTES SHA256` of the result and the SHA-256 of what was encrypted. With no path it only tries the key.
set -eu
umask 077
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
trap 'exit 1' TERM INT HUP
command -v gpg >/dev/null 2>&1 || { echo "error gpg is not installed" >&2; exit 1; }
cat >"$home/key"
encrypt() {
  gpg --homedir "$home" --batch --no-tty --quiet --trust-model always --compress-algo none --recipient-file "$home/key" --output - --encrypt
}
if [ $# -eq 0 ]; then encrypt </dev/null >/dev/null; exit 0; fi
cd "$1"
free=$(df -Pk . | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
[ "${free:-0}" -gt "$(($(wc -c <"$2") / 1024 + 1024))" ] || { echo "error $1 has no room for the encrypted copy of $2" >&2; exit 1; }
exec 4<"$2"
mkfifo "$home/plain"
sha256sum <"$home/plain" >"$home/plain.sum" &
# What `tee` could not read shows in the sum.
tee "$home/plain" <&4 | encrypt >"$3"
wait "$!"
read -r plain _ <"$home/plain.sum"
sum=$(sha256sum <"$3")
echo "$(($(wc -c <"$3"))) ${sum%% *} $plain"
