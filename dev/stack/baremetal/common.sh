# Sourced by the scripts beside it. N "bare-metal servers" on one machine: each is a network, pid, mount, uts and ipc
# namespace with its own sshd (port 22 on its own address, own host key), its own dockerd (with its own containerd),
# its own disk of its own size mounted at /srv, and its own /etc, /usr/local, /opt, /var and /home (overlays on that
# disk), so that what is installed on one server is there alone. Needs root.
# shellcheck shell=bash disable=SC2034 # the scripts use the variables
#   A4C_STACK_SERVERS=3                  how many (1 to 9)
#   A4C_STACK_DISK_MB="1024 768 512"     their disks in MiB, the last one repeats; the images are sparse
#   A4C_STACK_FS=ext4                    or btrfs: docker's btrfs driver, `docker run --storage-opt size=64M` works
#   A4C_STACK_WAIT=60                    seconds any wait may last
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[[ $(id -u) == 0 ]] || die "needs root (network namespaces, loop mounts, dockerd): run it with sudo -E"

BM_BASE=$A4C_STACK_DIR/baremetal
BM_USER=deploy # may use docker, nothing else; root may log in by the same key
BM_WAIT=${A4C_STACK_WAIT:-60}
BM_FS=${A4C_STACK_FS:-ext4}
read -r -a BM_DISKS <<<"${A4C_STACK_DISK_MB:-1024 768 512}"

# The network 10.77.SLOT.0/24; the slot is also in the name of the bridge, of the servers' links and control groups.
bm_slot() { cat "$BM_BASE/slot"; }
bm_net() { echo "10.77.$(bm_slot)"; }
bm_registry() { echo "$(bm_net).1:5000"; }
bm_bridge() { echo "a4c$(bm_slot)-br"; }
sname() { echo "a4c$(bm_slot)-$1"; }
saddr() { echo "$(bm_net).$((1 + $1))"; }
smac() { printf '02:a4:c0:00:%02x:%02x' "$(bm_slot)" "$1"; } # fixed: nobody's ARP cache is wrong after a reboot
sdir() { echo "$BM_BASE/server-$1"; }
sdisk() { local last=$((${#BM_DISKS[@]} - 1)); echo "${BM_DISKS[$(($1 - 1 > last ? last : $1 - 1))]}"; }
servers_there() { find "$BM_BASE" -maxdepth 1 -name 'server-[1-9]' 2>/dev/null | sed 's/.*-//' | sort -n; }

# The server's pid 1, as the host sees it: the child of the unshare that start has noted.
init_pid() {
  local outer
  outer=$(own_pid "$(sdir "$1")/outer.pid" "server-init $(sdir "$1") ") || return 1
  pgrep -P "$outer" -f "server-init $(sdir "$1") "
}
in_server() {
  local pid
  pid=$(init_pid "$1") || die "server-$1 is not running"
  shift
  nsenter -t "$pid" -m -r -w -n -u -i -p -- "$@" # -r -w: its root, which in a chroot is not the namespace's
}
ssh_server() { local i=$1; shift; ssh -n -F "$BM_BASE/ssh_config" "server-$i" "$@"; }
any_server_runs() {
  local i
  for i in $(servers_there); do if init_pid "$i" >/dev/null; then return 0; fi; done
  return 1
}
