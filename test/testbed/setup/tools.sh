# Programs built from Go modules (S3 server, workflow runner), the workflow linter from PyPI, the model checker; versions are pinned here.
# shellcheck shell=bash
GO_TOOLS="github.com/versity/versitygw/cmd/versitygw@v1.8.0 github.com/nektos/act@v0.2.89"
ZIZMOR=1.32.0

go_new_enough() { have go && [ "$(printf '1.21\n%s\n' "$(go env GOVERSION | sed 's/^go//')" | sort -V | head -n 1)" = 1.21 ]; }

ensure_go() {
  go_new_enough && return 0
  say "installing golang-go"
  add_trixie
  apt_update
  if [ "$(codename)" = bookworm ]; then quiet_install -t trixie golang-go; else quiet_install golang-go; fi
  go_new_enough || fail "Go 1.21 or newer (found: $(go version 2>&1))"
}

# tool_file MODULE@VERSION: the program's path, its version in the name so that a new pin is built anew.
tool_file() {
  local name=${1%@*}
  printf '%s/bin/%s-%s' "$CACHE" "${name##*/}" "${1##*@}"
}

build_go_tools() {
  local tool file name
  for tool in $GO_TOOLS; do
    file=$(tool_file "$tool") name=${tool%@*}
    name=${name##*/}
    if [ ! -x "$file" ]; then
      ensure_go
      say "building $name"
      logged "build-$name" env GOPATH="$CACHE/go" GOCACHE="$CACHE/go-build" GOBIN="$CACHE/bin/new" GOTOOLCHAIN=auto \
        GOFLAGS="-buildvcs=false -modcacherw" CGO_ENABLED=0 go install "$tool"
      mv "$CACHE/bin/new/$name" "$file"
    fi
    ln -sf "$(basename "$file")" "$CACHE/bin/$name"
  done
}

ensure_zizmor() {
  [ -x "$CACHE/venv-$ZIZMOR/bin/zizmor" ] || {
    need_root
    installed python3-venv || { apt_update; quiet_install python3-venv; }
    say "installing zizmor $ZIZMOR"
    /usr/bin/python3 -m venv "$CACHE/venv-$ZIZMOR"
    logged zizmor "$CACHE/venv-$ZIZMOR/bin/pip" install -q --disable-pip-version-check "zizmor==$ZIZMOR"
  }
  ln -sf "$CACHE/venv-$ZIZMOR/bin/zizmor" "$CACHE/bin/zizmor"
}

# ensure_spin: the model checker and the compiler that its verifiers need.
ensure_spin() {
  { installed spin && installed gcc && installed libc6-dev; } && return 0
  apt_update
  say "installing spin and gcc"
  quiet_install spin gcc libc6-dev
}
