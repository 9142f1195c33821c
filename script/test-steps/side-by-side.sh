# shellcheck shell=sh disable=SC2154
# The testbed's test files side by side, a second chance for each that failed, and the summary of it all. The caller has
# `one FILE SECONDS`, which runs a file in a process of its own for at most so long, and a folder $results.
WORKERS=3
# Seconds: for a file, for all of them, and for all second runs. A file never takes a third of the first in a good run.
FILE_LIMIT=900 ALL_LIMIT=2400 AGAIN_LIMIT=1200

# side_by_side FILE...: starts them in this order, the long ones first. What fails runs once more by itself when all others
# have ended; a file that fails then as well fails the run.
side_by_side() {
  deadline=$(($(date +%s) + ALL_LIMIT)) worker=0
  while [ $worker -lt $WORKERS ]; do worker=$((worker + 1)); draw "$@" & done
  wait
  deadline=$(($(date +%s) + AGAIN_LIMIT))
  for file; do
    show "$(log_of "$file")"
    [ ! -e "$(log_of "$file").failed" ] || attempt "$file" .again
    show "$(log_of "$file").again"
  done
}

# draw FILE...: runs those that no other worker has taken. What measures time can tell that it is not alone.
draw() {
  export BESIDE_OTHERS=1
  for file; do ! mkdir "$(log_of "$file").taken" 2>/dev/null || attempt "$file"; done
}

# attempt FILE [.again]: its output goes to its log, which always ends with a count; a mark lies beside it when it failed.
attempt() {
  log=$(log_of "$1")${2:-} began=$(date +%s) code=0
  limit=$((deadline - began))
  if [ $limit -gt $FILE_LIMIT ]; then limit=$FILE_LIMIT; elif [ $limit -lt 1 ]; then limit=1; fi
  one "$1" $limit >"$log" 2>&1 || code=$?
  # Ended too early for a count, or without any test, it proves nothing.
  if [ $code = 0 ] && ! grep -q '^ℹ tests [1-9]' "$log"; then code="0 before its tests did"; fi
  took=$(($(date +%s) - began))
  [ "$code" = 0 ] && { echo "passed in $took s: $1"; return; }
  : >"$log.failed"
  case $code in 124 | 137) why="was ended at its limit of $limit s" ;; *) why="ended with code $code" ;; esac
  grep -qE '^ℹ (fail|cancelled) [1-9]' "$log" || printf '✖ %s %s ()\nℹ fail 1\n' "$1" "$why" >>"$log"
  echo "FAILED in $took s: $1 ($why)"
}

log_of() { printf '%s/%s' "$results" "$(printf %s "$1" | tr / +)"; }
show() { [ ! -e "$1" ] || { printf '\n== %s\n' "$(basename "$1" | tr + /)" && cat "$1"; }; }

# summary FILE...: what failed, once or twice, and how many tests passed in their last run, those of $results/unit among
# them. False when anything failed in its last run.
summary() {
  lost=0
  echo
  for file; do
    log=$(log_of "$file")
    [ -e "$log.failed" ] || continue
    first=$(sed -n 's/^ *✖ \(.*\) (.*/\1/p' "$log" | head -n 1)
    if [ -e "$log.again.failed" ]; then lost=1 said="failed twice"; else said="failed under load, passed alone"; fi
    echo "$said: $file (first failure: $first)"
    rm "$log" # its last run counts
  done
  find "$results" -type f ! -name '*.failed' -exec cat {} + | awk '
    /^ℹ (pass|fail|cancelled|skipped) / { sum[$2] += $3 }
    END { printf "%d passed, %d failed, %d skipped\n", sum["pass"], sum["fail"] + sum["cancelled"], sum["skipped"] }'
  return $lost
}
