# Says of each place whether it holds anything. $1 = a local image for looking as root ("" for none), then the places:
# host paths, or names of volumes without a path of their own.
# One line each, in order: "full", "empty", "absent", "file", or "unknown WHY".
look_inside() { # MOUNT, unreadable for this user: a container without network looks, as root, and can write nothing
  [ -n "$image" ] || { echo "unknown not readable, and no local image to look with"; return; }
  problem=$(mktemp) || { echo "unknown no temporary file"; return; }
  # shellcheck disable=SC2016 # expanded in the container
  seen=$(timeout -k 2 30 docker run --rm --pull never --network none --user 0 --entrypoint sh \
    --label infra-actions.look=1 --mount "$1,target=/look,readonly" "$image" \
    -c 'if [ -d /look ]; then found=$(ls -A /look) && printf "dir\n%s" "$found"; else echo file; fi' 2>"$problem")
  code=$?
  why=$(grep -v -e '^$' -e "^Run 'docker" -e "^See 'docker" "$problem" | tail -n 1)
  rm -f "$problem"
  case $code:$seen in
    0:dir*) printf '%s\n' "$seen" | sed 1d | verdict ;;
    0:file) echo file ;;
    *)
      case $why in
        *"bind source path does not exist"*) echo absent ;;
        *) printf 'unknown %s\n' "${why:-exit code $code}" ;;
      esac ;;
  esac
}
verdict() { # names on standard input; a fresh file system has a lost+found
  if grep -v -x -e lost+found -e '' | grep -q .; then echo full; else echo empty; fi
}
format='{{println .Driver}}{{println (index .Options "o")}}{{println (index .Options "device")}}{{.Mountpoint}}'
image=$1
shift
for place; do
  case $place in
    /*) path=$place ;;
    *)
      found=$(timeout -k 2 20 docker volume inspect --format "$format" "$place" 2>&1)
      code=$?
      if [ "$code" -ne 0 ]; then
        case $found in
          *"no such volume"*) echo absent ;;
          *) printf 'unknown %s\n' "$(printf '%s' "$found" | tail -n 1)" ;;
        esac
        continue
      fi
      { read -r driver && read -r options && IFS= read -r device && IFS= read -r path; } <<FOUND
$found
FOUND
      case $driver:$device:$options in
        local::*) ;;
        local:/*:*bind*) path=$device ;; # a place on the host under another name
        *) # mounted only while a container uses it: its mount point looks empty
          look_inside "type=volume,source=$place,volume-nocopy"
          continue ;;
      esac ;;
  esac
  if [ -d "$path" ] && [ -r "$path" ] && [ -x "$path" ]; then
    if names=$(ls -A "$path" 2>/dev/null); then printf '%s\n' "$names" | verdict; else look_inside "type=bind,source=$path"; fi
    continue
  fi
  if [ -e "$path" ] && [ ! -d "$path" ]; then
    echo file
    continue
  fi
  # Behind a folder that this user may not enter, everything looks absent.
  near=$path
  while [ ! -e "$near" ] && [ "$near" != / ]; do near=$(dirname "$near"); done
  if [ "$near" != "$path" ] && [ -x "$near" ]; then echo absent; else look_inside "type=bind,source=$path"; fi
done
