# What files of a backup really hold. $1 directory of backups, $2.. paths in it. Lines `BYTES SHA256 PATH`, or `- - PATH`
# for one that is not there or cannot be read.
cd "$1" 2>/dev/null || { shift; for one; do echo "- - $one"; done; exit 0; }
shift
for one; do
  if sum=$(sha256 <"$one" 2>/dev/null); then
    echo "$(($(wc -c <"$one"))) ${sum%% *} $one"
  else
    echo "- - $one"
  fi
done
