# shellcheck shell=sh
# A lock is a directory of numbered claims that are never reused: gen.N is claim N with its record, beat.N its last
# renewal, done.N its release. The highest claim holds the lock until it is released; its number is the fencing token.

# lease_top DIR: sets lease_n to the highest claim, 0 when there is none.
lease_top() {
  lease_n=0
  for lease_f in "$1"/gen.*; do
    lease_k=${lease_f##*.}
    case $lease_k in
      '' | *[!0-9]*) ;;
      *) if [ "$lease_k" -gt "$lease_n" ]; then lease_n=$lease_k; fi ;;
    esac
  done
}

# lease_held DIR N: whether claim N still holds the lock.
lease_held() {
  lease_top "$1"
  [ "$lease_n" = "$2" ] && [ ! -e "$1/done.$2" ]
}
