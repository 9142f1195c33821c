# Asks an OpenVidu 2 server for its health and its sessions. $1 = base URL, $2 = container id, $3 = seconds to wait.
# Prints two lines, "health BODY" and "sessions BODY" (or "sessions" alone when they cannot be read), each body on one line.
# 10: the host has no curl; 11: no answer to the health path, the reason is on standard error.
base=${1%/} container=$2 wait=$3
command -v curl >/dev/null 2>&1 || exit 10
body=$(curl --silent --show-error --globoff --max-time "$wait" -- "$base/openvidu/api/health") || exit 11
printf 'health %s\n' "$(printf '%s' "$body" | tr '\r\n' '  ')"
secret=$(docker inspect --type container --format '{{range .Config.Env}}{{println .}}{{end}}' "$container" | sed -n 's/^OPENVIDU_SECRET=//p')
# The secret goes to curl on standard input: an argument could be read by every user of the host.
body=$(printf '%s' "$secret" | sed -e 's/[\\"]/\\&/g' -e 's/^/user = "OPENVIDUAPP:/' -e 's/$/"/' |
  curl --silent --fail --globoff --max-time "$wait" --config - -- "$base/openvidu/api/sessions") || body=
printf 'sessions %s\n' "$(printf '%s' "$body" | tr '\r\n' '  ')"
