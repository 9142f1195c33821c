# The image registry and the S3 server, and the file that tells the tests where everything is.
# shellcheck shell=bash
ensure_registry() {
  local config=$STATE/registry.yml
  if alive registry; then return 0; fi
  if port_answers "${REGISTRY##*:}"; then fail "$REGISTRY is in use by another program"; fi
  mkdir -p "$CACHE/registry"
  cat >"$config" <<CONFIG
version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: $CACHE/registry }
  delete: { enabled: true }
http:
  addr: $REGISTRY
CONFIG
  say "starting docker-registry on $REGISTRY"
  daemon registry docker-registry serve "$config"
  wait_for registry 100 curl -fsS "http://$REGISTRY/v2/"
}

s3_secret() {
  [ -s "$STATE/s3/$1" ] || (umask 077 && od -An -N20 -tx1 /dev/urandom | tr -d ' \n' >"$STATE/s3/$1")
  cat "$STATE/s3/$1"
}

# s3_request METHOD PATH: signed; the key goes to curl on standard input.
s3_request() {
  printf 'user = "%s:%s"\n' "$(s3_secret access)" "$(s3_secret secret)" |
    curl -fsS -m 10 -K - --aws-sigv4 "aws:amz:us-east-1:s3" -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" -X "$1" "http://127.0.0.1:$S3_PORT$2"
}

ensure_s3() {
  mkdir -p "$STATE/s3/data"
  if ! alive s3; then
    if port_answers "$S3_PORT"; then fail "port $S3_PORT is in use by another program"; fi
    say "starting versitygw on 127.0.0.1:$S3_PORT"
    ROOT_ACCESS_KEY=$(s3_secret access) ROOT_SECRET_KEY=$(s3_secret secret) \
      daemon s3 versitygw --port "127.0.0.1:$S3_PORT" --region us-east-1 posix "$STATE/s3/data"
    wait_for s3 100 port_answers "$S3_PORT"
  fi
  [ -d "$STATE/s3/data/$S3_BUCKET" ] || s3_request PUT "/$S3_BUCKET" >/dev/null || fail "bucket $S3_BUCKET was not made"
}

# write_env: KEY=VALUE, for sh and for test/testbed/testbed.ts.
write_env() {
  cat >"$STATE/env.new" <<ENV
SSH_HOST=127.0.0.1
SSH_PORT=$SSH_PORT
JUMP_PORT=$JUMP_PORT
SSH_USER=deploy
SSH_USERS="root deploy t-dash t-fish t-csh t-noisy t-stdin t-forced t-nologin"
SSH_KEY=$STATE/ssh/client
SSH_KEY_REFUSED=$STATE/ssh/stranger
SSH_KNOWN_HOSTS=$STATE/ssh/known_hosts
SSH_KNOWN_HOSTS_WRONG=$STATE/ssh/known_hosts.wrong
SSH_FINGERPRINT=$(ssh-keygen -lf "$STATE/ssh/host_ed25519.pub" | cut -d' ' -f2)
PROJECT=$PROJECT
BASE_DIR=$BASE_DIR
HTTP_PORT=$HTTP_PORT
POSTGRES_PORT=$POSTGRES_PORT
REDIS_PORT=$REDIS_PORT
TURN_PORT=$TURN_PORT
REGISTRY=$REGISTRY
S3_ENDPOINT=http://127.0.0.1:$S3_PORT
S3_REGION=us-east-1
S3_BUCKET=$S3_BUCKET
S3_ACCESS_KEY_ID=$(s3_secret access)
S3_SECRET_ACCESS_KEY=$(s3_secret secret)
LABEL=$LABEL
CACHE=$CACHE
STATE=$STATE
ENV
  chmod 600 "$STATE/env.new"
  mv "$STATE/env.new" "$STATE/env"
}
