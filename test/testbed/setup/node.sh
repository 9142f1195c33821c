# Node 24 and the project's packages: needs neither root nor Docker where npm is already there.
# shellcheck shell=bash

NPM_VERSION=11.21.2

# locked: what is installed is what package-lock.json says. Then a run of npm would only take time, or pull the rug from under another.
locked() {
  [ -x "$ROOT/node_modules/.bin/node" ] && [ -s "$ROOT/node_modules/.package-lock.json" ] || return 1
  (cd "$ROOT" && node_modules/.bin/node -e '
    const read = (file) => JSON.parse(require("fs").readFileSync(file)).packages
    const want = read("package-lock.json"), have = read("node_modules/.package-lock.json")
    const fits = ({ os, cpu, libc = ["glibc"] }) => os?.includes(process.platform) && cpu?.includes(process.arch) && libc.includes("glibc")
    const needed = Object.keys(want).filter((key) => key && (!want[key].optional || fits(want[key])))
    const missing = needed.filter((key) => want[key].version !== have[key]?.version)
    process.exit(missing.length ? 1 : 0)' 2>/dev/null)
}

# npm_ci: by an npm that runs on Node 24. An older pair (Debian's) leaves out optional packages that ask for a newer Node than
# its own, the bundler's native part among them; it only brings Node and npm into a folder for the while.
npm_ci() (
  # Not with the Node that lies in the folder which npm ci replaces.
  PATH=${PATH#"$ROOT/node_modules/.bin:"}
  quiet="--no-audit --no-fund --loglevel=error"
  cd "$ROOT" && tools=$(mktemp -d) || exit 1
  trap 'rm -rf "$tools"' EXIT
  case $(node --version) in
    v24.*) ;;
    *)
      node="node-linux-$(node_cpu)"
      version=$(sed -n "s/.*\"$node\": \"\(.*\)\".*/\1/p" package.json)
      # shellcheck disable=SC2086 # one option a word
      npm install --prefix "$tools" --no-save $quiet "npm@$NPM_VERSION" "$node@$version" >&2 || exit 1
      mkdir "$tools/bin" && ln -s "../node_modules/$node/bin/node" "../node_modules/npm/bin/npm-cli.js" "$tools/bin" || exit 1
      PATH="$tools/bin:$PATH" && mv "$tools/bin/npm-cli.js" "$tools/bin/npm" || exit 1
      ;;
  esac
  # shellcheck disable=SC2086 # one option a word
  npm ci --ignore-scripts $quiet >&2
)

# node_cpu: the processor as the npm packages of Node name it.
node_cpu() { case $(uname -m) in aarch64) echo arm64 ;; *) echo x64 ;; esac; }

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
    npm_ci || npm_ci || fail "npm ci (see above)"
  fi
  major=$("$ROOT/node_modules/.bin/node" --version 2>/dev/null || node --version 2>/dev/null || true)
  case $major in v24.*) ;; *) fail "Node 24 is needed and was not installed by npm (found: ${major:-none})" ;; esac
}
