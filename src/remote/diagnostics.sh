# What a person would look at first, as lines "NAME<tab>VALUE". Only looks; a part that is not to be had is left out.
say() { [ -z "$2" ] || printf '%s\t%s\n' "$1" "$2"; }
say docker "$(timeout -k 2 15 docker version --format '{{.Server.Version}}' 2>/dev/null)"
say compose "$(timeout -k 2 15 docker compose version --short 2>/dev/null)"
say kernel "$(uname -sr)"
say load "$(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null)"
say processors "$(grep -c '^processor' /proc/cpuinfo 2>/dev/null)"
say memory-total-kib "$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo 2>/dev/null)"
say memory-available-kib "$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo 2>/dev/null)"
timeout -k 2 15 docker network ls --format '{{.Name}}' 2>/dev/null | while read -r name; do say network "$name"; done
timeout -k 2 15 docker ps --format '{{.Names}} {{.Ports}}' 2>/dev/null | while read -r name ports; do
  [ -z "$ports" ] || say ports "$name: $ports"
done
exit 0
