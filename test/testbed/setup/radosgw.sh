# Ceph's S3 gateway, which many hosted stores run: the second server for the tests of the S3 store. Only for those who ask.
# shellcheck shell=bash
RADOSGW_PORT=7480
RADOSGW=infra-testbed-radosgw

radosgw_runs() { [ "$(docker inspect -f '{{.State.Running}}' "$RADOSGW" 2>/dev/null)" = true ]; }
radosgw_ready() { docker logs "$RADOSGW" 2>/dev/null | grep -qx ready; }

# ensure_radosgw: a fresh one when none runs; it has the same keys as the other S3 server and no bucket. Prints its address.
ensure_radosgw() {
  local n=0
  if ! image_there infra-testbed/radosgw:1; then
    if hub_answers; then official base:trixie debian:trixie-slim; else base trixie; fi
    build radosgw:1 radosgw infra-testbed/base:trixie
  fi
  if ! radosgw_runs; then
    docker rm -f "$RADOSGW" >/dev/null 2>&1 || true
    if port_answers "$RADOSGW_PORT"; then fail "port $RADOSGW_PORT is in use by another program"; fi
    say "starting radosgw on 127.0.0.1:$RADOSGW_PORT"
    ACCESS_KEY=$(s3_secret access) SECRET_KEY=$(s3_secret secret) logged radosgw docker run -d --name "$RADOSGW" \
      --label "$LABEL" --memory 4g -p "127.0.0.1:$RADOSGW_PORT:7480" -e ACCESS_KEY -e SECRET_KEY infra-testbed/radosgw:1
  fi
  until radosgw_ready; do
    radosgw_runs || { docker logs --tail 15 "$RADOSGW" >&2; fail "radosgw did not start"; }
    n=$((n + 1))
    [ $n -lt 120 ] || fail "radosgw is not ready (docker logs $RADOSGW)"
    sleep 1
  done
  echo "http://127.0.0.1:$RADOSGW_PORT"
}
