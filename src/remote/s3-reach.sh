# Whether this host can send to S3 itself. $1 address of the store. Prints `ok`, or why not.
if ! command -v curl >/dev/null 2>&1; then echo "curl is not installed"; exit 0; fi
if ! command -v md5sum >/dev/null 2>&1; then echo "md5sum is not installed"; exit 0; fi
code=$(curl -sS -o /dev/null -w '%{http_code}' --connect-timeout 5 --max-time 15 "$1" 2>/dev/null)
rc=$?
case $rc in
  0) if [ "$code" != 000 ]; then echo ok; else echo "no answer from $1"; fi ;;
  60 | 77) echo "curl does not trust the certificate of $1 (no CA certificates?)" ;;
  *) echo "curl cannot reach $1 (code $rc)" ;;
esac
