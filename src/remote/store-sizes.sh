# Lengths of files of backups, none of which is read. $1 directory of backups, $2.. paths in it. Lines `BYTES PATH`; none for
# one that is not there.
cd "$1" || exit 1
shift
stat -L -c '%s %n' -- "$@" 2>/dev/null
# What it says with 1 is that some are not there.
[ $? -le 1 ]
