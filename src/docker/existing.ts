import { sh } from "../shell/command.ts"

/**
 * Defines the shell function `existing`: runs `docker inspect` of things listed a moment ago, where one that has gone
 * meanwhile is left out and anything else is a failure.
 */
export const defineExisting = sh`existing() {
  problem=$(mktemp) || return
  "$@" 2>"$problem"
  code=$?
  if [ "$code" -ne 0 ] && ! grep -v -i 'no such \\(container\\|volume\\|object\\)' "$problem" | grep -q .; then code=0; fi
  cat "$problem" >&2
  rm -f "$problem"
  return "$code"
}`
