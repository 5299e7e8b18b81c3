# Sourced by the scripts beside it. PostgreSQL under Patroni: an etcd and three nodes on loopback, each as
# deploy/patroni/node.yml says.
# shellcheck shell=bash disable=SC2034 # the scripts use the variables
PART=patroni
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

NODES=(n1 n2 n3)
USER_NAME=a4c
OS_USER=$(id -un)
BASE=$A4C_STACK_DIR/patroni
if [[ $(id -u) == 0 ]]; then # as for dev/stack/postgres: root's home is closed to the servers' user
  OS_USER=postgres
  BASE=/var/lib/a4c-stack/$(cksum <<<"$A4C_STACK_DIR" | cut -d' ' -f1)/patroni
fi
as_pg() { if [[ $(id -u) == 0 ]]; then (cd / && exec runuser -u "$OS_USER" -- "$@"); else "$@"; fi; }
read_ports() { read -r -a PORTS <"$BASE/ports"; } # etcd's two, the nodes' three, their APIs' three
index_of() {
  local i
  for i in "${!NODES[@]}"; do if [[ ${NODES[$i]} == "$1" ]]; then echo "$i"; return 0; fi; done
  die "no such node: $1 (nodes: ${NODES[*]})"
}
node_port() { echo "${PORTS[$((2 + $(index_of "$1")))]}"; }
api_port() { echo "${PORTS[$((5 + $(index_of "$1")))]}"; }
role_of() { curl -s -m 5 "http://127.0.0.1:$(api_port "$1")/patroni" | jq -r '[.role, .state] | join(" ")'; }
primary() {
  local n
  for n in "${NODES[@]}"; do if [[ $(role_of "$n" || true) == "master running" ]]; then echo "$n"; return 0; fi; done
  return 1
}
has_sync_standby() {
  curl -s -m 5 "http://127.0.0.1:$(api_port "$(primary)")/cluster" |
    jq -e '[.members[] | select(.role == "sync_standby" and (.state == "running" or .state == "streaming"))] | length > 0'
}
