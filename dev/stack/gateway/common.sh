# Sourced by the scripts beside it: HAProxy on loopback, with the very configuration of deploy/gateway.
# shellcheck shell=bash disable=SC2034 # the scripts use the variables
#   A4C_STACK_BACKENDS="127.0.0.1:7071 127.0.0.1:7072 127.0.0.1:7073"   the three a4cd
#   A4C_GATEWAY_...      every other parameter of haproxy.cfg, see its top. Unlike there, A4C_GATEWAY_USER is empty: it stays who starts it
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
root=$A4C_STACK_DIR/gateway
config=$(cd "$STACK_HERE/../.." && pwd -P)/deploy/gateway/haproxy.cfg
gateway_pid() { # another stack's gateway has the same command line, but not the same folder
  local pid
  pid=$(own_pid "$root/pid" "haproxy -db -f $config") || return 1
  grep -qzxF "A4C_GATEWAY_RUN=$root" "/proc/$pid/environ" 2>/dev/null || return 1
  echo "$pid"
}
