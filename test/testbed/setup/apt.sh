# Debian packages: what the testbed needs, and a Docker engine from Debian 13 where none answers.
# shellcheck shell=bash
PACKAGES="ca-certificates curl git jq xz-utils procps iproute2 iptables openssh-server openssh-client debootstrap
docker-registry busybox dash fish tcsh shellcheck zstd netcat-openbsd e2fsprogs gnupg"
ENGINE_PACKAGES="docker.io docker-cli docker-compose docker-buildx"

distribution() { (. /etc/os-release && printf '%s' "$ID"); }
codename() { (. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}"); }

# mirror: the address of this machine's own Debian mirror, read from its apt sources.
mirror() {
  local found
  # shellcheck disable=SC2016 # apt expands these
  found=$(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
    awk -F'|' -v r="$(codename)" '$2 == r && $3 == "main" { print $1; exit }')
  [ -n "$found" ] || fail "no apt source for Debian $(codename) main found (see /etc/apt/sources.list.d)"
  printf '%s' "$found"
}

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# apt_update: at most once an hour, and always after a new source.
apt_update() {
  local stamp=$STATE/apt-updated
  [ -z "$(find "$stamp" -mmin -60 2>/dev/null)" ] || return 0
  say "apt-get update"
  logged apt-update apt-get update -q
  touch "$stamp"
}

# quiet_install PACKAGE...: without recommends, and without starting the packages' own daemons.
quiet_install() {
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; made=1; fi
  # shellcheck disable=SC2064 # the value of now is meant
  trap "[ -z '$made' ] || rm -f $policy" EXIT
  logged apt-install apt-get install -q -y --no-install-recommends "$@"
  [ -z "$made" ] || rm -f $policy
  trap - EXIT
}

install_packages() {
  local missing=() p there
  # shellcheck disable=SC2086 # a list of names
  there=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $PACKAGES 2>/dev/null || true)"
  for p in $PACKAGES; do case $there in *" installed:$p "*) ;; *) missing+=("$p") ;; esac; done
  [ ${#missing[@]} -gt 0 ] || return 0
  apt_update
  say "installing ${missing[*]}"
  quiet_install "${missing[@]}"
}

# add_trixie: Debian 13's packages within reach of Debian 12, only those preferred that are named here.
add_trixie() {
  local source=/etc/apt/sources.list.d/infra-actions-trixie.sources
  [ "$(distribution) $(codename)" = "debian bookworm" ] || return 0
  [ ! -e $source ] || return 0
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n\nPackage: %s\nPin: release n=trixie\nPin-Priority: 900\n' \
    "$ENGINE_PACKAGES" >/etc/apt/preferences.d/infra-actions-trixie
  printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$(mirror)" >$source
  rm -f "$STATE/apt-updated"
}

# install_engine: Debian 12's own engine is too old for compose v2, so these four names come from trixie.
install_engine() {
  local packages=$ENGINE_PACKAGES
  [ "$(distribution)" = debian ] || packages="docker.io docker-compose-v2 docker-buildx"
  add_trixie
  apt_update
  say "installing $packages"
  # shellcheck disable=SC2086 # a list of names
  quiet_install $packages
}
