# shellcheck shell=sh
# Runs SQL, read from standard input, as one transaction or statement by statement as it says itself. $1 nonce, $2 connection string.
sql -d "$2" || exit
printf '%s end 0\n' "$1"
