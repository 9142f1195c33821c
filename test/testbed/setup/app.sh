# The sample app's images, pushed to the registry.
# shellcheck shell=bash
APP_TAGS="v1 v2 v3 never-healthy crash wrong slow-start"

ensure_node_base() {
  local context=$CACHE/node-base
  image_there infra-testbed/base:node && return 0
  say "building infra-testbed/base:node"
  mkdir -p "$context"
  cp -L "$ROOT/node_modules/.bin/node" "$context/node"
  cp "$SELF/images/node/Dockerfile" "$context/"
  logged build-base-node docker build --label "$LABEL" --build-arg BASE=infra-testbed/base:bookworm -t infra-testbed/base:node "$context"
}

# app_current: every tag is in the registry and was built from the app as it is now.
app_current() {
  local tag
  [ "$(cat "$CACHE/app-source" 2>/dev/null)" = "$(app_source)" ] || return 1
  for tag in $APP_TAGS; do
    curl -fsS -o /dev/null "http://$REGISTRY/v2/sample-app/manifests/$tag" || return 1
    image_there "$REGISTRY/sample-app:$tag" || return 1
  done 2>/dev/null
}
app_source() { find "$SELF/app" "$SELF/build-app" -type f -exec sha256sum {} + | sort | sha256sum; }

ensure_app() {
  app_current && return 0
  ensure_node_base
  mkdir -p "$CACHE/app"
  if ! cmp -s "$SELF/app/package-lock.json" "$CACHE/app/installed-lock"; then
    cp "$SELF"/app/package*.json "$CACHE/app/"
    say "npm ci for the sample app"
    logged npm-app npm ci --prefix "$CACHE/app" --ignore-scripts --no-audit --no-fund --omit=dev
    cp "$SELF/app/package-lock.json" "$CACHE/app/installed-lock"
  fi
  say "building the sample app: $APP_TAGS"
  local version variant
  for version in 1 2 3; do "$SELF/build-app" "$version" >/dev/null; done
  for variant in never-healthy crash wrong slow-start; do "$SELF/build-app" 9 "$variant" >/dev/null; done
  app_source >"$CACHE/app-source"
}
