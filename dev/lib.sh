# Sourced by the scripts beside it; not run by itself.
# shellcheck shell=bash
set -euo pipefail

A4C_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$A4C_ROOT"

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$(basename "$0"): $*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [[ $(id -u) == 0 ]]; }

# What a build needs, what only tests need, by the names of Debian 12.
BUILD_PACKAGES=(g++ cmake ninja-build pkg-config ca-certificates libpoco-dev librdkafka-dev rapidjson-dev
  libssh2-1-dev libssh-dev libboost-dev libicu-dev libsqlite3-dev libpq-dev libcli11-dev libspdlog-dev
  libyaml-cpp-dev prometheus-cpp-dev libsodium-dev libssl-dev libjemalloc-dev)
TEST_PACKAGES=(libgtest-dev libgmock-dev libbenchmark-dev ccache mold git python3 clang-format clang-tidy-16
  shellcheck curl jq procps openssh-client openssh-sftp-server)

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$package"
  done
}

# install_packages NAME...: those that are missing; says the command where we may not run it.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) && return 0
  local command=(apt-get install -y --no-install-recommends "${missing[@]}") as=(env DEBIAN_FRONTEND=noninteractive)
  if ! is_root; then
    have sudo && sudo -n true 2>/dev/null || die "packages are missing. Run as root: ${command[*]}"
    as=(sudo -n "${as[@]}")
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { "${as[@]}" apt-get update && "${as[@]}" "${command[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get failed; the whole log is in $log. Then try: ${command[*]}"
  fi
  rm -f "$log"
}

# configure PRESET [cmake arguments]
configure() {
  local preset=$1 log=build/$1.configure.log
  shift
  mkdir -p build
  local launcher=()
  if have ccache; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    export CCACHE_BASEDIR=$A4C_ROOT CCACHE_NOHASHDIR=1
  fi
  cmake --preset "$preset" "${launcher[@]}" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    die "cmake could not configure: see $log"
  }
}

# build PRESET [targets]
build() {
  local preset=$1
  shift
  cmake --build --preset "$preset" ${1:+--target "$@"}
}
