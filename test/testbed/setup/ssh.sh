# A real sshd of the testbed's own: users with every login shell that matters, keys, known_hosts.
# shellcheck shell=bash
SSH_DIR=$STATE/ssh

# add_user NAME SHELL: a login with the client key and no password. An account that is not the testbed's is left alone.
add_user() {
  local mark=infra-actions-testbed
  id "$1" >/dev/null 2>&1 || useradd -m -s "$2" -c $mark "$1"
  [ "$(getent passwd "$1" | cut -d: -f5)" = $mark ] || fail "this machine has a user $1 of its own; the testbed needs that name"
  usermod -p '*' -s "$2" "$1"
}

users() {
  add_user deploy /bin/bash
  getent group docker >/dev/null || groupadd -r docker
  usermod -aG docker deploy
  add_user t-dash /bin/dash
  add_user t-fish /usr/bin/fish
  add_user t-csh /bin/tcsh
  add_user t-noisy /bin/bash
  add_user t-stdin /bin/bash
  add_user t-forced /bin/bash
  add_user t-nologin /usr/sbin/nologin
  printf 'echo "Welcome to the server"\necho "3 updates can be applied"\n' | put /home/t-noisy/.bashrc
  printf 'cat >/dev/null\n' | put /home/t-stdin/.bashrc
}

keys() {
  local type
  mkdir -p "$SSH_DIR"
  chmod 711 "$SSH_DIR"
  for type in ed25519 rsa ecdsa; do
    [ -s "$SSH_DIR/host_$type" ] || ssh-keygen -q -t $type -N '' -C testbed -f "$SSH_DIR/host_$type"
  done
  [ -s "$SSH_DIR/client" ] || ssh-keygen -q -t ed25519 -N '' -C testbed-client -f "$SSH_DIR/client"
  [ -s "$SSH_DIR/stranger" ] || ssh-keygen -q -t ed25519 -N '' -C testbed-stranger -f "$SSH_DIR/stranger"
  [ -s "$SSH_DIR/other_host" ] || ssh-keygen -q -t ed25519 -N '' -C testbed -f "$SSH_DIR/other_host"
  put "$SSH_DIR/authorized_keys" <"$SSH_DIR/client.pub"
  known_hosts "$SSH_DIR/known_hosts" "$SSH_DIR"/host_*.pub
  known_hosts "$SSH_DIR/known_hosts.wrong" "$SSH_DIR/other_host.pub"
}

# known_hosts FILE PUB...: one line for each port and key.
known_hosts() {
  local file=$1 port pub; shift
  for port in $SSH_PORT $JUMP_PORT; do
    for pub in "$@"; do printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$pub")"; done
  done | put "$file"
}

# sshd_config PORT: key login only, no PAM, nothing read from the machine's own sshd.
sshd_config() {
  cat <<CONFIG
Port $1
ListenAddress 127.0.0.1
PidFile none
HostKey $SSH_DIR/host_ed25519
HostKey $SSH_DIR/host_rsa
HostKey $SSH_DIR/host_ecdsa
AuthorizedKeysFile $SSH_DIR/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers root deploy t-*
PrintMotd no
Subsystem sftp internal-sftp
Match User t-forced
  ForceCommand echo "This account is for tunnels only"
CONFIG
}

port_answers() { nc -z -w 1 127.0.0.1 "$1"; }

ensure_sshd() {
  local port name
  users
  keys
  mkdir -p /run/sshd
  for port in $SSH_PORT $JUMP_PORT; do
    name=sshd-$port
    if alive "$name" && sshd_config "$port" | cmp -s - "$SSH_DIR/config-$port"; then continue; fi
    stop_daemon "$name"
    if port_answers "$port"; then fail "port $port is in use by another program"; fi
    sshd_config "$port" >"$SSH_DIR/config-$port"
    say "starting sshd on 127.0.0.1:$port"
    daemon "$name" /usr/sbin/sshd -D -e -f "$SSH_DIR/config-$port"
    wait_for "$name" 100 port_answers "$port"
  done
}
