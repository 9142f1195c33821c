# Asks one URL from the host. $1 = URL, $2 = seconds to wait.
# Prints "STATUS SECONDS" (SECONDS may be empty) and ends with 0 when a server answered, whatever it said;
# 10: the host has no program to ask with; 11: nobody answered, the reason is on standard error.
url=$1 wait=$2
if command -v curl >/dev/null 2>&1; then
  curl --silent --show-error --globoff --output /dev/null --max-time "$wait" --write-out '%{http_code} %{time_total}\n' -- "$url" || exit 11
elif command -v wget >/dev/null 2>&1; then
  # Both GNU and busybox print the headers on standard error; a refused or missing answer has no status line.
  said=$(timeout -k 1 "$wait" wget -S -O /dev/null -- "$url" 2>&1)
  status=$(printf '%s\n' "$said" | sed -n 's/^ *HTTP\/[0-9.]* \([0-9][0-9]*\).*/\1/p' | tail -n 1)
  if [ -z "$status" ]; then
    printf '%s\n' "$said" | tail -n 1 >&2
    exit 11
  fi
  printf '%s \n' "$status"
else
  exit 10
fi
