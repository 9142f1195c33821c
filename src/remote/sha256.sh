# shellcheck shell=sh
# The SHA-256 of standard input as the first word of a line. OpenSSL uses the processor's own instructions where it has
# them, which is several times as fast as sha256sum.
sha256() {
  if command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r; else sha256sum; fi
}
