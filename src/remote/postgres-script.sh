#!/bin/sh
# Says what kind of dump a path is, or prints it as an SQL script, by means of the container's programs.
# $1 container, $2 script to run inside, $3 nonce, $4 path, $5 its kind; nothing for $5: print the kind.
set -u
[ -r "$4" ] || { echo "there is no $4 that can be read" >&2; exit 1; }
if [ -z "$5" ]; then
  if [ -d "$4" ]; then
    [ -f "$4/toc.dat" ] || { echo "$4 is a folder without toc.dat: not one that pg_dump made" >&2; exit 1; }
    echo directory
    exit
  fi
  case $(head -c 5 "$4" | od -An -tx1 | tr -d ' \n') in
  5047444d50) echo archive ;;
  1f8b*) echo gzip ;;
  28b52ffd*) echo zstd ;;
  746f632e64) echo archive ;; # a tar file, whose first member is toc.dat
  *)
    if [ "$(head -c 262 "$4" | tail -c 5)" = ustar ]; then
      echo "$4 is a tar file, but none that pg_dump made: unpack it, and give the folder" >&2
      exit 1
    fi
    echo plain
    ;;
  esac
  exit
fi
if [ "$5" = directory ]; then
  tar -cf - -C "$4" . | docker exec -i "$1" sh -c "$2" sh "$3" "$5"
else
  docker exec -i "$1" sh -c "$2" sh "$3" "$5" <"$4"
fi
