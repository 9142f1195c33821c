# The product in an image and its version, in its own words. $1 image.
# shellcheck disable=SC2016 # expands in the container
docker run --rm --network none --label infra-actions.scratch=1 --entrypoint sh "$1" -c \
  'for one in valkey-server redis-server dragonfly; do if command -v "$one" >/dev/null; then exec "$one" --version; fi; done; exit 1' </dev/null
