# Reads one object straight from S3 and keeps nothing of it. $1 bytes, $2 SHA-256, $3 tries, $4 seconds without progress that
# cut a try. Standard input: the URL, which stands in no argument, file or output here. An error unless these bytes come.
set -u
bytes=$1 sum=$2 tries=$3 stall=$4 try=1
read -r url
while :; do
  # A cut or refused answer has other bytes: their SHA-256 tells, whatever the exit code.
  got=$(curl -sS -f -K /dev/fd/3 --connect-timeout 10 --speed-limit 1000 --speed-time "$stall" 2>/dev/null 3<<CONFIG | sha256sum
url = "$url"
CONFIG
)
  if [ "${got%% *}" = "$sum" ]; then echo "read back $bytes"; exit 0; fi
  [ "$try" -lt "$tries" ] || { echo "error S3 gave other bytes than were sent, or none, $try times" >&2; exit 1; }
  sleep "$try"
  try=$((try + 1))
done
