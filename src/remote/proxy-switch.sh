# Gives nginx another upstream file and proves that its workers took it. $1 = the proxy's container id, $2 = the file on
# the host, $3 = its new content, $4 = seconds to wait for the old workers to stop accepting.
# When nginx refuses the new file, cannot be told, or does not take it, the old file is put back and the script fails.
proxy=$1 file=$2 content=$3 wait=$4
next=$(dirname "$file")/.$(basename "$file").next
before=$(dirname "$file")/.$(basename "$file").before

# Workers that accept connections: those that are shutting down say so in their title.
accepting() {
  # shellcheck disable=SC2016 # expanded in the container
  timeout -k 2 15 docker exec "$proxy" sh -c 'for p in /proc/[0-9]*; do
    title=$(tr "\000" " " <"$p/cmdline") 2>/dev/null || continue
    case $title in
      *"shutting down"*) ;;
      "nginx: worker process"*) echo "${p#/proc/}" ;;
    esac
  done' 2>/dev/null
}
put_back() {
  if [ -e "$before" ]; then mv -f "$before" "$file"; else rm -f "$file"; fi
  timeout -k 2 15 docker exec "$proxy" nginx -s reload >/dev/null 2>&1
  printf 'the proxy keeps its old upstream: %s\n' "$1" >&2
  exit 1
}

rm -f "$before"
printf '%s' "$content" >"$next" && chmod 644 "$next" && sync "$next" || exit
if [ -e "$file" ]; then cp -p "$file" "$before" || exit; fi
mv -f "$next" "$file" || exit
said=$(timeout -k 2 30 docker exec "$proxy" nginx -t 2>&1) || put_back "nginx refuses the new file: $(printf '%s\n' "$said" | grep emerg | tail -n 1)"
old=$(accepting)
timeout -k 2 15 docker exec "$proxy" nginx -s reload || put_back "nginx could not be told to reload"

# The reload is a signal and comes back at once: until the old workers have stopped accepting, requests still go the old way.
[ -n "$old" ] || { sleep 2; rm -f "$before"; exit 0; }
end=$(($(date +%s) + wait))
while :; do
  now=$(accepting)
  left=
  for worker in $old; do
    case " $(printf '%s' "$now" | tr '\n' ' ') " in *" $worker "*) left="$left $worker" ;; esac
  done
  [ -n "$left" ] || { rm -f "$before"; exit 0; }
  if [ "$(date +%s)" -ge "$end" ]; then
    put_back "its workers$left still accept connections $wait s after the reload; see the proxy's log"
  fi
  sleep 0.2
done
