# shellcheck shell=sh
# Reads stored globals from standard input: whole when the line is there that pg_dumpall writes last. $1 nonce.
if [ "$(grep -c '^-- PostgreSQL database cluster dump complete')" != 1 ]; then
  echo 'the stored globals are not whole: their last line is missing' >&2
  exit 1
fi
printf '%s end 0\n' "$1"
