# shellcheck shell=sh
# Detached work. Each piece has a folder of its own, claimed by mkdir:
#   about   run, step, journal, lock, claim, its ttl, limit, grace: one a line     script, input   what runs, what it reads
#   go      made once: by the work that runs, or by who gave it up before it ran   limit           it was ended for its time
#   pid     pid, start time, boot id    log, err   its output    rc   its exit code, written once

# shellcheck disable=SC2034 # job.sh uses them too

# work_about DIR: reads `about` into variables.
work_about() {
  {
    read -r work_run && read -r work_step && read -r work_journal && read -r work_lock && read -r work_claim &&
      read -r work_ttl && read -r work_limit && read -r work_grace
  } 2>/dev/null <"$1/about"
}

# work_start DIR ABOUT SCRIPT BYTES JOB INPUT SLICE: runs SCRIPT detached and follows it. JOB is these files' text; INPUT
# is the length of what comes on standard input, or `-`. Code 75: the folder is taken, so it was started before.
work_start() {
  umask 077
  mkdir -p "${1%/*}" || return 74
  mkdir "$1" 2>/dev/null || {
    [ ! -d "$1" ] || return 75
    mkdir "$1" || return 74 # full, read-only or another account's: it says so
  }
  printf '%s\n' "$2" >"$1/about" && printf '%s' "$3" >"$1/script" && printf '%s' "$5" >"$1/job" || return 74
  if [ "$(wc -c <"$1/script")" -ne "$4" ]; then
    echo "the script in $1 is cut" >&2
    return 74
  fi
  : >"$1/log"
  work_in=/dev/null
  if [ "$6" != - ]; then
    work_in=$1/input
    cat >"$work_in" || return 74
    if [ "$(wc -c <"$work_in")" -ne "$6" ]; then
      rm -f "$work_in"
      echo "the input of $1 is cut" >&2
      return 74
    fi
  fi
  work_about "$1" || return 74
  work_prune "${1%/*}"
  setsid sh "$1/job" job_run "$1" <"$work_in" >"$1/log" 2>"$1/err" \
    3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
  work_follow "$1" 0 "$7"
}

# work_alive DIR: whether that very process runs. A zombie is dead; another boot id means cut by a reboot.
work_alive() {
  work_p='' work_b=''
  { read -r work_p work_s work_b; } 2>/dev/null <"$1/pid" || return 1
  read -r work_now </proc/sys/kernel/random/boot_id
  # shellcheck disable=SC2046 # the fields of stat are meant to be split; the name before them, which may hold anything, is cut off
  set -- "$work_b" "$work_s" $(cut -d')' -f2- "/proc/$work_p/stat" 2>/dev/null)
  [ "$1" = "$work_now" ] && [ "${3:-Z}" != Z ] && [ "${22}" = "$2" ]
}

# work_left: whether anything else of the group lives, as work_alive has found its first process. The kernel gives that
# one's number to nobody while its group has members: a stranger of this number means that it has none.
work_left() {
  [ "$work_b" = "$work_now" ] || return 1
  for work_f in "/proc/$work_p/stat" /proc/[0-9]*/stat; do
    { read -r work_line <"$work_f"; } 2>/dev/null || continue
    # shellcheck disable=SC2086 # the fields after the name are meant to be split: state, parent, group, session
    set -- ${work_line##*)}
    if [ "$work_f" = "/proc/$work_p/stat" ]; then
      [ "${20:-}" = "$work_s" ] || return 1
    elif [ "${3:-}" = "$work_p" ] && [ "${4:-}" = "$work_p" ] && [ "$1" != Z ]; then
      return 0
    fi
  done
  return 1
}

# work_stop DIR GRACE: asks the whole group to end, after GRACE seconds makes it.
work_stop() {
  work_alive "$1" || return 0
  work_group=$work_p work_tries=0
  kill -TERM "-$work_group" 2>/dev/null
  while work_alive "$1" && [ "$work_tries" -lt $(($2 * 10)) ]; do
    sleep 0.1
    work_tries=$((work_tries + 1))
  done
  work_alive "$1" || return 0
  kill -KILL "-$work_group" 2>/dev/null
  rm -f "$1/input"
  echo 137 >"$1/rc.k"
  if ln "$1/rc.k" "$1/rc" 2>/dev/null && work_about "$1"; then work_note failed 137; fi
  return 0
}

# work_note STATE [CODE]: one line of the journal, whole because it is short and written at once.
work_note() {
  printf '{"time":"%s","run":"%s","step":"%s","state":"%s"%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$work_run" \
    "$work_step" "$1" "${2:+,\"code\":$2}" >>"$work_journal"
}

# work_follow DIR OFFSET SLICE: the log from byte OFFSET on, until the work has ended, at most SLICE seconds: no
# follower outlives its client for longer. Code 76: nobody reads. Last line of standard error: `keeper: ended CODE
# [limit]`, `keeper: cut` (killed or rebooted), `keeper: again` (still runs), `keeper: unstarted` (did not run and
# never will).
work_follow() {
  work_o=$2 work_looks=0
  work_uptime
  work_until=$((work_up + $3)) work_unseen=$((work_up + 10))
  while :; do
    work_end=
    # The code is looked at before the size: what comes after it is not this work's.
    if [ -e "$1/rc" ]; then work_end=ended; elif [ $((work_looks % 8)) -eq 7 ]; then work_lost "$1"; fi
    work_size=$(wc -c 2>/dev/null <"$1/log") || work_size=0
    work_looks=$((work_looks + 1))
    if [ "$work_size" -gt "$work_o" ]; then
      tail -c +$((work_o + 1)) "$1/log" | head -c $((work_size - work_o)) || return 76
      work_o=$work_size
    fi
    work_uptime
    if [ -z "$work_end" ] && [ "$work_up" -ge "$work_until" ]; then work_end=again; fi
    if [ "$work_end" ]; then break; fi
    # Seldom at long work, also when it says much: each look costs processes.
    if [ "$work_looks" -lt 5 ]; then sleep 0.05; elif [ "$work_looks" -lt 20 ]; then sleep 0.1; else sleep 0.4; fi
  done
  work_tell "$1"
}

# Sets work_end when the work was cut, or when it did not start in time and this claims that it never will.
work_lost() {
  work_uptime
  if [ -e "$1/pid" ]; then
    if ! work_alive "$1" && [ ! -e "$1/rc" ] && ! work_left; then work_end="cut"; fi
  elif [ "$work_up" -ge "$work_unseen" ]; then
    # Claimed, or found claimed by a follower whose word was lost: what runs makes `pid` before `go`.
    if (umask 077 && mkdir -p "$1" && mkdir "$1/go") 2>/dev/null || { [ -e "$1/go" ] && [ ! -e "$1/pid" ]; }; then
      work_end=unstarted
    elif [ ! -e "$1/go" ]; then
      echo "nothing can be written in $1: its disk is full or read-only, or it is another account's" >&2
      exit 74
    fi
  fi
  case $work_end in "cut" | unstarted) rm -f "$1/input" ;; esac
}

work_tell() {
  case $work_end in
    again) echo "keeper: again" >&2 ;;
    *)
      { tail -c 65536 "$1/err" 2>/dev/null && echo; } >&2
      work_rc=
      if [ "$work_end" = ended ]; then
        work_rc=" $(cat "$1/rc")"
        if [ -e "$1/limit" ]; then work_rc="$work_rc limit"; fi
      fi
      echo "keeper: $work_end$work_rc" >&2
      ;;
  esac
}

# Seconds since boot: unlike the clock it is never set.
work_uptime() {
  read -r work_up _ </proc/uptime
  work_up=${work_up%%.*}
}

# work_state DIR: sets work_end to running, ended, cut or unstarted.
work_state() {
  work_end=running
  if [ -e "$1/rc" ]; then
    work_end=ended
  elif [ -e "$1/pid" ]; then
    if work_alive "$1" || work_left; then return 0; fi
    work_end="cut"
    if [ -e "$1/rc" ]; then work_end=ended; fi # it ended while we looked
  else # about to start, but neither for a minute nor, by a clock that was set back, from a later one on
    work_age=$(($(date +%s) - $(stat -c %Y "$1")))
    if [ -e "$1/go" ] || [ "$work_age" -gt 60 ] || [ "$work_age" -lt -60 ]; then work_end=unstarted; fi
  fi
}

# work_list WORK: a line for each folder: state, claim, code or `-`, run, step, folder.
work_list() {
  for work_d in "$1"/*/; do
    work_d=${work_d%/}
    if [ -e "$work_d/settled" ] || ! work_about "$work_d"; then continue; fi
    work_state "$work_d"
    work_rc=-
    if [ -e "$work_d/rc" ]; then read -r work_rc <"$work_d/rc"; fi
    echo "$work_end $work_claim $work_rc $work_run $work_step ${work_d##*/}"
  done
}

# work_of_lease WORK LOCK CLAIM: the folders whose work runs under that claim.
work_of_lease() {
  for work_d in "$1"/*/; do
    work_d=${work_d%/}
    if ! work_about "$work_d" || [ "$work_lock" != "$2" ] || [ "$work_claim" != "$3" ]; then continue; fi
    work_state "$work_d"
    if [ "$work_end" = running ]; then echo "${work_d##*/}"; fi
  done
}

# work_settle WORK FOLDER...: a person or a job has seen that these were cut.
work_settle() {
  work_d=$1
  shift
  for work_f in "$@"; do rm -f "$work_d/$work_f/input" && : >"$work_d/$work_f/settled" || return 74; done
}

# work_prune WORK: forgets work that has ended, after a week or beyond the newest 200. Never what runs.
work_prune() {
  {
    find "$1" -mindepth 1 -maxdepth 1 -type d -mtime +7
    # shellcheck disable=SC2012 # our own names: letters, digits, dot, dash
    ls -1t "$1" | tail -n +201 | while read -r work_f; do echo "$1/$work_f"; done
  } | while read -r work_f; do
    work_state "$work_f"
    if [ "$work_end" != running ]; then rm -rf "$work_f"; fi
  done
}
