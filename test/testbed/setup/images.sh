# Images under infra-testbed/*: official ones where Docker Hub answers, else built from Debian packages.
# shellcheck shell=bash
image_there() { docker image inspect "$1" >/dev/null 2>&1; }

# hub_answers: its API asks for a login (401) within three seconds.
hub_answers() { [ "$(curl -sS -m 3 -o /dev/null -w '%{http_code}' https://registry-1.docker.io/v2/ 2>/dev/null)" = 401 ]; }

# base SUITE: a minimal Debian as infra-testbed/base:SUITE.
base() {
  local suite=$1 dir
  image_there "infra-testbed/base:$suite" && return 0
  [ "$(distribution)" = debian ] || fail "Docker Hub does not answer, and base images are built by debootstrap on Debian only"
  dir=$CACHE/debootstrap/$suite
  rm -rf "$dir"; mkdir -p "$dir" "$CACHE/debs/$suite"
  say "debootstrap $suite"
  logged "debootstrap-$suite" debootstrap --variant=minbase --cache-dir="$CACHE/debs/$suite" "$suite" "$dir" "$(mirror)"
  tar -C "$dir" -c . | docker import --change "LABEL $LABEL" - "infra-testbed/base:$suite" >/dev/null
  rm -rf "$dir"
}

# build NAME:TAG FOLDER BASE [ARG...]: an image of ours.
build() {
  local tag=infra-testbed/$1 folder=$2 base=$3; shift 3
  image_there "$tag" && return 0
  say "building $tag"
  logged "build-$(basename "${tag//:/-}")" docker build --label "$LABEL" --build-arg BASE="$base" "$@" -t "$tag" "$SELF/images/$folder"
}

# official NAME:TAG IMAGE: pulled, under our name and label.
official() {
  image_there "infra-testbed/$1" && return 0
  say "pulling $2"
  logged "pull-${1//:/-}" docker pull -q "$2"
  # shellcheck disable=SC2016 # the inner shell expands these
  logged "label-${1//:/-}" sh -c 'printf "FROM %s\n" "$1" | docker build --label "$2" -t "$3" -' sh "$2" "$LABEL" "infra-testbed/$1"
}

images_from_hub() {
  official postgres:15 postgres:15
  official postgres:17 postgres:17
  official nginx:1 nginx:1
  official coturn:1 coturn/coturn
  official base:bookworm debian:bookworm-slim
  official base:trixie debian:trixie-slim
  official base:node node:24-bookworm-slim
  build dragonfly:1 dragonfly redis:7
  build valkey:1 dragonfly valkey/valkey:8 --build-arg PRODUCT=valkey
}

images_from_debian() {
  ( base bookworm
    build postgres:15 postgres infra-testbed/base:bookworm --build-arg MAJOR=15
    build dragonfly:1 dragonfly infra-testbed/base:bookworm ) &
  local first=$!
  ( base trixie
    build postgres:17 postgres infra-testbed/base:trixie --build-arg MAJOR=17
    build valkey:1 dragonfly infra-testbed/base:trixie --build-arg PRODUCT=valkey ) &
  local second=$!
  wait $first || fail "images from bookworm"
  build nginx:1 nginx infra-testbed/base:bookworm
  build coturn:1 coturn infra-testbed/base:bookworm
  wait $second || fail "images from trixie"
}

ensure_images() {
  local i missing=
  for i in postgres:15 postgres:17 dragonfly:1 valkey:1 nginx:1 coturn:1; do
    image_there "infra-testbed/$i" || missing=1
  done
  [ -n "$missing" ] || return 0
  if hub_answers && (images_from_hub); then return 0; fi
  images_from_debian
}
