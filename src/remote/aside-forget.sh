# Runs as root in a container: removes directories for good that were set aside. $1 their parent, $2.. names, which only
# such directories have.
set -eu
cd "$1"
shift
for one; do
  case $one in
    */*) exit 1 ;;
    *?.aside-backup-????????-?????? | *?.failed-backup-????????-??????) ;;
    *) echo "$one is not what was set aside" >&2; exit 1 ;;
  esac
done
for one; do rm -rf "./$one"; done
sync
