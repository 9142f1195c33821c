# Decrypts a file with its session key, which opens nothing else. $1 directory of backups, $2 the encrypted file, $3 the
# result, $4 the bytes that it will have. Standard input: the session key. The encrypted file goes when it is decrypted or
# cannot be, for S3 has it; it stays when only the room was missing, and need not come again.
set -u
umask 077
home=$(mktemp -d) || exit 1
trap 'rm -rf "$home"' EXIT
trap 'exit 1' TERM INT HUP
cd "$1" || exit 1
command -v gpg >/dev/null 2>&1 || { echo "error gpg is not installed" >&2; exit 1; }
read -r key
rm -f "$3"
free=$(df -Pk . | sed -n '2s/^.* \([0-9]\{1,\}\) \{1,\}[0-9]\{1,\}% .*$/\1/p')
need=$(($4 / 1024 + 1))
[ "${free:-0}" -ge "$need" ] || { echo "error $1 has ${free:-no known} KiB free, the decrypted file needs $need KiB" >&2; exit 1; }
# gpg repeats the session key among its messages: none of them is kept. Its exit code comes by 4, beside that of the writer.
codes=$({
  {
    gpg --homedir "$home" --batch --no-tty --quiet --override-session-key-fd 3 --output - --decrypt <"$2" 2>/dev/null 3<<KEY
$key
KEY
    echo $? >&4
  } | cat >"$3" || echo unwritten >&4
} 4>&1)
if [ "$codes" = 0 ]; then rm -f "$2"; exit 0; fi
rm -f "$3"
case $codes in *unwritten*) echo "error $3 cannot be written to its end: is the disk full?" >&2; exit 1 ;; esac
rm -f "$2"
echo "error $2 cannot be decrypted: it was changed, or is not of this key" >&2
exit 1
