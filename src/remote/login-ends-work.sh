# What decides whether work that goes on after its login is killed: prints `user NAME`, `uid N`, `systemd yes|no`, and then,
# where systemd runs, what logind says of KillUserProcesses, KillOnlyUsers and KillExcludeUsers, in the words of the
# first that can tell it: busctl, loginctl, the configuration files. $1 = what to put before every path, nothing as a rule.
echo "user $(id -un)"
echo "uid $(id -u)"
[ -d "$1/run/systemd/system" ] || { echo 'systemd no'; exit 0; }
echo 'systemd yes'
for one in KillUserProcesses KillOnlyUsers KillExcludeUsers; do
  said=$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager "$one" 2>/dev/null) &&
    echo "$one=$said"
done
said=$(loginctl show-session --property KillUserProcesses --property KillOnlyUsers --property KillExcludeUsers 2>/dev/null) &&
  printf '%s\n' "$said" | sed 's/^/loginctl /'
for one in "$1/etc/systemd/logind.conf" "$1"/usr/lib/systemd/logind.conf.d/*.conf "$1"/run/systemd/logind.conf.d/*.conf "$1"/etc/systemd/logind.conf.d/*.conf; do
  [ -r "$one" ] && sed -n 's/^[[:space:]]*\(Kill[A-Za-z]*\)[[:space:]]*=[[:space:]]*/file \1=/p' "$one"
done
exit 0
