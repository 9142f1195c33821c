# The Docker engine: the one that answers, else one of ours with its data under the cache folder.
# shellcheck shell=bash
engine_answers() { timeout -k 1 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

ensure_engine() {
  if engine_answers && docker compose version >/dev/null 2>&1; then return 0; fi
  if engine_answers; then fail "this Docker engine has no compose plugin (install docker-compose-v2)"; fi
  # Ours, and busy: a second one on its data would harm it.
  if alive dockerd; then wait_for dockerd 300 engine_answers; return 0; fi
  if ! have dockerd || ! docker compose version >/dev/null 2>&1; then install_engine; fi
  say "starting dockerd (data in $CACHE/docker)"
  mkdir -p "$CACHE/docker"
  rm -f /var/run/docker.pid
  daemon dockerd dockerd --data-root "$CACHE/docker" --group docker
  wait_for dockerd 300 engine_answers
}
