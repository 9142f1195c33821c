# check_rdb IMAGE FILE: reads the stored bytes to their end with the product's own checker, in a container without
# network that goes away. Prints `magic`, for each database `select N` and the bytes that follow there, `keys`, `expires`.
check_rdb() {
  for check_try in 1 2 3; do
    # shellcheck disable=SC2016 # expands in the container
    report=$(docker run --rm -i --network none --label infra-actions.scratch=1 --user 0 --entrypoint sh "$1" -c \
      '"$(command -v redis-check-rdb || command -v valkey-check-rdb)" /dev/stdin; code=$?; echo "checked $code"; exit $code' <"$2" 2>&1)
    code=$?
    # Of a container that ends at once the engine may lose the last words: then nothing is known, and it is asked again.
    case $code:$report in 0:*checked\ 0*) break ;; 0:*) [ "$check_try" -lt 3 ] || code='0, without a word' ;; *) break ;; esac
  done
  case $report in *'RDB looks OK'*) ;; *) code="$code, without its OK" ;; esac
  if [ "$code" != 0 ]; then
    printf '%s\n' "$report" | tail -n 3 >&2
    echo "error $2 is not a whole snapshot: the checker ended with code $code" >&2
    return 1
  fi
  echo "magic $(head -c 9 "$2")"
  printf '%s\n' "$report" | sed -n 's/^\[offset \([0-9]*\)\] Selecting DB ID \([0-9]*\).*$/\1 \2/p' | while read -r offset database; do
    echo "select $database $(tail -c "+$((offset + 1))" "$2" | head -c 24 | od -An -v -tx1 | tr -d ' \n')"
  done
  printf '%s\n' "$report" | sed -n 's/^\[info\] \([0-9]*\) keys read$/keys \1/p; s/^\[info\] \([0-9]*\) expires$/expires \1/p'
}
