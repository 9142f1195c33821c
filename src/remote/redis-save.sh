# Makes a running server write all its data to its data directory and proves it. $1 container, $2 port, $3 seconds that it
# may take.
inside "$1" "$2" "$3" <<'INSIDE'
limit=$1
wait_second() {
  limit=$((limit - 1))
  [ "$limit" -gt 0 ] || fail "the save did not end in time"
  sleep 1
}
if ask INFO server | grep -q '^dragonfly_version:'; then
  while :; do
    reply=$(slow SAVE)
    case $reply in
      OK) exit 0 ;;
      *"in progress"*) wait_second ;;
      *"filename is not specified"*) fail "it is set up without dbfilename: its data would not outlive a restart" ;;
      *) declined SAVE "$reply" ;;
    esac
  done
fi
# SAVE rather than BGSAVE: its reply is the proof, and nobody is left to be kept waiting.
while :; do
  reply=$(slow SAVE)
  case $reply in
    OK) exit 0 ;;
    *"already in progress"*) wait_second ;;
    *) declined SAVE "$reply" ;;
  esac
done
INSIDE
