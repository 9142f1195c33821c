# shellcheck shell=sh
# What runs detached, in a session of its own: the work, and beside it a watcher in another one.
# shellcheck disable=SC2154 # variables named work_ are set by keeper.sh

# job_run DIR: runs the script, its output already redirected; the code is written once and last.
job_run() {
  job_asked=
  trap job_asked=yes TERM INT HUP # not '', which the script would inherit for good
  umask 077
  work_about "$1" || exit 74
  read -r job_boot </proc/sys/kernel/random/boot_id
  echo "$$ $(cut -d')' -f2- "/proc/$$/stat" | cut -d' ' -f21) $job_boot" >"$1/pid.t" && mv "$1/pid.t" "$1/pid" || exit 74
  if ! mkdir "$1/go" 2>/dev/null; then # given up: somebody else may have started it again
    rm -f "$1/pid"
    exit 0
  fi
  if work_note begin; then
    setsid sh "$1/job" job_watch "$1" </dev/null >/dev/null 2>&1 &
    sh "$1/script"
    job_code=$?
    if [ "$job_asked" ]; then job_rest "$1"; fi
  else
    echo "the journal $work_journal cannot be written: nothing was done" >&2
    job_code=74
  fi
  rm -f "$1/input"
  if [ "$job_code" = 0 ]; then work_note end 0; else work_note failed "$job_code"; fi
  echo "$job_code" >"$1/rc.t" && ln "$1/rc.t" "$1/rc" # without a code it counts as cut
}

# job_rest DIR: waits until nothing but this process is left of what was asked to end: it has not ended while any of it goes
# on. Who asked makes it.
job_rest() {
  work_alive "$1" || return 0
  while work_left; do sleep 0.1; done
}

# job_watch DIR: keeps the lease while the work runs, whatever becomes of the client, and ends the work after its limit.
# Afterwards it releases the lease when its holder has asked for that and no other work of it runs.
job_watch() {
  umask 077
  work_about "$1" || exit 74
  read -r job_pid _ <"$1/pid"
  work_uptime
  job_end=$((work_up + work_limit)) job_beat=$work_up
  while [ ! -e "$1/rc" ] && work_alive "$1"; do
    work_uptime
    if [ "$work_up" -ge "$job_beat" ]; then
      job_beat=$((work_up + work_ttl / 4))
      lease_renew "$work_lock" "$work_claim"
    fi
    if [ "$work_up" -ge "$job_end" ]; then
      : >"$1/limit"
      work_stop "$1" "$work_grace"
      break
    fi
    sleep 1
  done
  if [ ! -e "$1/rc" ]; then kill -KILL "-$job_pid" 2>/dev/null; fi # killed from outside: nothing of it may act on
  rm -f "$1/job" "$1/input"
  work_about "$1" || exit 74
  if [ -e "$work_lock/bye.$work_claim" ]; then lease_release "$work_lock" "$work_claim" "${1%/*}" >/dev/null; fi
}
