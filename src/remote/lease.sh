# shellcheck shell=sh
# Taking, renewing and releasing the lock whose claims fence.sh describes. Time is the host's clock, in seconds.
# A record is one line: time of the claim, boot id, seconds after which it is stale, JSON of the holder.
# shellcheck disable=SC2154 # lease_n is set by fence.sh

lease_clock() {
  lease_now=$(date +%s)
  read -r lease_boot </proc/sys/kernel/random/boot_id
}

lease_number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
}

# lease_look DIR TTL: sets lease_n, lease_since, lease_at, lease_on, lease_ttl, lease_record, lease_age and lease_state:
# free, held, stale, or ahead (renewed so far in the future that it would not run out by itself: the clock was set back).
lease_look() {
  lease_state=free
  if [ -e "$1" ] && [ ! -r "$1" ]; then
    echo "$1 belongs to the account $(stat -c %U "$1"), and this one may not read it: act by that one" >&2
    return 74
  fi
  lease_top "$1"
  if [ "$lease_n" -eq 0 ]; then return 0; fi
  lease_since='' lease_on='' lease_ttl='' lease_record=''
  read -r lease_since lease_on lease_ttl lease_record <"$1/gen.$lease_n"
  if ! lease_number "$lease_since" || ! lease_number "$lease_ttl"; then # emptied by a power cut
    lease_since=$(stat -c %Y "$1/gen.$lease_n") || return 1
    lease_on=unknown lease_ttl=$2 lease_record=
  fi
  lease_at=$lease_since lease_beat='' lease_beat_on=''
  if [ -e "$1/beat.$lease_n" ]; then read -r lease_beat lease_beat_on <"$1/beat.$lease_n"; fi
  if lease_number "$lease_beat"; then lease_at=$lease_beat lease_on=$lease_beat_on; fi
  lease_clock
  lease_age=$((lease_now - lease_at)) lease_limit=$lease_ttl
  # Its detached work died with the boot, but on shared storage another host has another boot id: two renewals missed.
  if [ "$lease_on" != "$lease_boot" ] && [ "$lease_on" != unknown ]; then lease_limit=$((lease_ttl / 2)); fi
  if [ -e "$1/done.$lease_n" ]; then return 0; fi
  lease_state=held
  if [ "$lease_age" -lt $((0 - lease_ttl)) ]; then lease_state=ahead; fi
  if [ "$lease_age" -gt "$lease_limit" ]; then lease_state=stale; fi
}

# lease_say: one line about the newest claim: state, number, seconds since the claim, since the last renewal, ttl, boot,
# record. Only `free 0` when there is none.
lease_say() {
  if [ "$lease_n" -eq 0 ]; then
    echo "free 0"
    return 0
  fi
  lease_same=other
  if [ "$lease_on" = "$lease_boot" ]; then lease_same=this; fi
  printf '%s %s %s %s %s %s %s\n' "$lease_state" "$lease_n" "$((lease_now - lease_since))" "$lease_age" \
    "$lease_ttl" "$lease_same" "$lease_record"
}

# lease_read DIR TTL: looks and says.
lease_read() {
  lease_look "$1" "$2" || return
  lease_say
}

# lease_claim DIR TTL RECORD: `claimed N`, with the line of lease_say about a stale claim that it takes over below it; or
# only that line: who holds it.
lease_claim() {
  umask 077
  mkdir -p "$1" || return 74
  lease_look "$1" "$2" || return
  case $lease_state in
    held | ahead) lease_say ;;
    *) lease_link "$@" ;;
  esac
}

# lease_pass DIR TTL RECORD N: hands the lock on to the next process of its run: claims N+1 when N is the newest claim,
# held or not, so that whoever still acts under N is fenced out. Answers as lease_claim.
lease_pass() {
  umask 077
  lease_look "$1" "$2" || return
  if [ "$lease_n" = "$4" ]; then lease_link "$@"; else lease_say; fi
}

# lease_link DIR TTL RECORD: makes the claim after the one that was looked at, unless somebody else does.
lease_link() {
  lease_before=
  if [ "$lease_state" = stale ]; then lease_before=$(lease_say); fi
  lease_clock
  lease_m=$((lease_n + 1)) lease_t=$1/.claim.$$
  rm -f "$lease_t" # left by a process of the same pid, it can be another name of that one's claim
  # The record is whole and on disk before the link makes it visible.
  if ! printf '%s %s %s %s\n' "$lease_now" "$lease_boot" "$2" "$3" >"$lease_t" || ! sync "$lease_t"; then
    rm -f "$lease_t"
    return 74
  fi
  if [ "$(stat -c %u "$1")" != "$(stat -c %u "$lease_t")" ]; then
    echo "it belongs to the account $(stat -c %U "$1"), which could not read what another one writes there: act by that one" >&2
    rm -f "$lease_t"
    return 74
  fi
  lease_won=
  if ln "$lease_t" "$1/gen.$lease_m" 2>"$lease_t.why"; then lease_won=yes; fi
  if [ -z "$lease_won" ] && [ ! -e "$1/gen.$lease_m" ]; then
    cat "$lease_t.why" >&2
    rm -f "$lease_t" "$lease_t.why"
    return 74
  fi
  rm -f "$lease_t" "$lease_t.why"
  lease_top "$1"
  if [ -z "$lease_won" ] || [ "$lease_n" != "$lease_m" ]; then
    lease_read "$1" "$2"
    return
  fi
  # A power cut must not bring the number back: its holder may live on elsewhere.
  sync "$1" || return 74
  lease_sweep "$1"
  echo "claimed $lease_m"
  if [ "$lease_before" ]; then echo "$lease_before"; fi
}

# lease_renew DIR N: code 79 when claim N no longer holds the lock.
lease_renew() {
  lease_held "$1" "$2" || return 79
  lease_clock
  if ! { printf '%s %s\n' "$lease_now" "$lease_boot" >"$1/.beat.$$" && mv "$1/.beat.$$" "$1/beat.$2"; }; then
    rm -f "$1/.beat.$$"
    # On a full disk the line of before has the room: it is as long.
    printf '%s %s\n' "$lease_now" "$lease_boot" 1<>"$1/beat.$2" || return 74
  fi
  lease_held "$1" "$2" || return 79
}

# lease_release DIR N WORK: `released`, `not-held`, or `working FOLDER...`: then the last of that work releases it.
lease_release() {
  if ! lease_held "$1" "$2"; then
    echo not-held
    return 0
  fi
  : >"$1/bye.$2" || return 74
  lease_busy=$(work_of_lease "$3" "$1" "$2")
  if [ "$lease_busy" ]; then
    echo "working $lease_busy"
    return 0
  fi
  : >"$1/done.$2" || return 74
  echo released
}

# lease_force DIR N: ends claim N for its holder, who finds out at the next fence: `forced` or `not-held`.
lease_force() {
  if ! lease_held "$1" "$2"; then
    echo not-held
    return 0
  fi
  : >"$1/done.$2" || return 74
  echo forced
}

# lease_sweep DIR: forgets claims far below the top; a claim near it may still be looked at.
lease_sweep() {
  for lease_f in "$1"/gen.*; do
    lease_k=${lease_f##*.}
    lease_number "$lease_k" || continue
    [ "$lease_k" -lt $((lease_n - 20)) ] || continue
    rm -f "$1/beat.$lease_k" "$1/done.$lease_k" "$1/bye.$lease_k" "$lease_f"
  done
}
