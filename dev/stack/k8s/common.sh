# Sourced by the scripts beside it: etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback.
# shellcheck shell=bash disable=SC2034 # the scripts use the variables
#   A4C_STACK_K8S_BIN    binaries made by build (default: k8s-bin in the state directory)
#   A4C_STACK_POD_NET=10.79.0.0/24  A4C_STACK_SERVICE_NET=10.96.0.0/24    addresses of pods and of Services
#   A4C_STACK_WAIT=60    seconds any wait may last
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
root=$A4C_STACK_DIR/k8s
K8S_BIN=$(realpath -m "${A4C_STACK_K8S_BIN:-$A4C_STACK_DIR/k8s-bin}")
pods=${A4C_STACK_POD_NET:-10.79.0.0/24}
services=${A4C_STACK_SERVICE_NET:-10.96.0.0/24}
K8S_WAIT=${A4C_STACK_WAIT:-60}
K8S_PROGRAMS=(kube-scheduler kube-controller-manager kube-apiserver etcd) # in the order in which they stop
export KUBECONFIG=$root/kubeconfig

pid_of() { own_pid "$root/$1.pid" "$root"; } # every program has our folder among its arguments
any_program_runs() {
  local name
  for name in "${K8S_PROGRAMS[@]}"; do if pid_of "$name" >/dev/null; then return 0; fi; done
  return 1
}
run() { # run NAME COMMAND...: unless it runs already
  local name=$1
  shift
  if pid_of "$name" >/dev/null; then return 0; fi
  setsid "$@" >>"$root/$name.log" 2>&1 </dev/null &
  note_pid "$root/$name.pid" $! "$root"
}
await() { # await NAME WHAT COMMAND...
  local name=$1
  shift
  wait_for "$K8S_WAIT" "$@" || { tail -n 20 "$root/$name.log" >&2; die "$name is not ready: see $root/$name.log"; }
}
