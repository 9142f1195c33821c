# Decrypts a file with its session key, which opens nothing else. $1 directory of backups, $2 the encrypted file, $3 the
# result. Standard input: the session key. The encrypted file goes in any case: S3 has it.
set -u
umask 077
home=$(mktemp -d) || exit 1
cd "$1" || exit 1
trap 'rm -rf "$home" "$2"' EXIT
trap 'exit 1' TERM INT HUP
command -v gpg >/dev/null 2>&1 || { echo "error gpg is not installed" >&2; exit 1; }
read -r key
# gpg repeats the session key among its messages: none of them is kept.
gpg --homedir "$home" --batch --no-tty --quiet --override-session-key-fd 3 --output - --decrypt <"$2" >"$3" 2>/dev/null 3<<KEY && exit 0
$key
KEY
rm -f "$3"
echo "error $2 cannot be decrypted: it was changed, or is not of this key" >&2
exit 1
