# Sourced by every script of the stack; not run by itself.
# shellcheck shell=bash
set -euo pipefail

A4C_STACK_DIR=${A4C_STACK_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/a4c/stack}
mkdir -p "$A4C_STACK_DIR"
A4C_STACK_DIR=$(cd "$A4C_STACK_DIR" && pwd -P)
export A4C_STACK_DIR
STACK_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

# The part that speaks: the name of the folder, unless the script has set another.
PART=${PART:-$(basename "$(cd "$(dirname "$0")" && pwd -P)")}

say() { printf '%s [%s] %s\n' "$(date +%H:%M:%S)" "$PART" "$*" >&2; }
die() { say "ERROR: $*"; exit 1; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
random_hex() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# wait_for SECONDS WHAT COMMAND...: polls COMMAND; false, with a word about it, when the time is over.
wait_for() {
  local limit=$1 what=$2 end
  shift 2
  end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || { say "gave up after $limit s waiting for $what"; return 1; }
    sleep 0.1
  done
}

not() { ! "$@"; }

# own_pid PIDFILE TEXT: prints the pid if that process runs and TEXT stands in its command line,
# so that a pid that another process has got since is never taken for ours.
own_pid() {
  local pid
  pid=$(head -n 1 "$1" 2>/dev/null) || return 1
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -e "$2" || return 1
  echo "$pid"
}

# note_pid PIDFILE PID TEXT: for a process just started in the background. Until it has become the program, it is a
# copy of our shell, which own_pid would take for somebody else's.
note_pid() {
  local i
  echo "$2" >"$1"
  for ((i = 0; i < 500; i++)); do
    if own_pid "$1" "$3" >/dev/null || ! kill -0 "$2" 2>/dev/null; then return 0; fi
    sleep 0.02
  done
}

# stop_pid PIDFILE TEXT SECONDS: TERM, and KILL after SECONDS. A zombie counts as gone: its command line is empty.
stop_pid() {
  local pid
  if pid=$(own_pid "$1" "$2"); then
    kill -TERM "$pid" 2>/dev/null || true
    wait_for "$3" "pid $pid to end" not own_pid "$1" "$2" || kill -KILL "$pid" 2>/dev/null || true
    wait_for 10 "pid $pid to die" not own_pid "$1" "$2" || return 1
  fi
  rm -f -- "$1"
}

rss_mb() { # resident memory of the pids given, together
  local pid sum=0 kb
  for pid in "$@"; do
    kb=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
    sum=$((sum + ${kb:-0}))
  done
  echo "$((sum / 1024)) MB"
}

# In a plain chroot / is no mount point, and then neither Java's file stores nor `unshare --mount` work. Run after
# ROOT_MOUNT, a command has a mount namespace of its own of which / is the root (own-root).
# Where mounts are shared that would show up, and stay, outside the chroot: the user has to do it.
ROOT_MOUNT=()
need_root_mount() {
  if awk '$5 == "/" { found = 1 } END { exit !found }' /proc/self/mountinfo; then return 0; fi
  if [[ $(id -u) != 0 ]] || grep -q ' shared:' /proc/1/mountinfo; then
    die "/ is no mount point, this is a chroot: leave it, 'mount --rbind DIR DIR && mount --make-rprivate DIR', enter it again"
  fi
  # shellcheck disable=SC2034 # the scripts use it
  ROOT_MOUNT=("$STACK_HERE/own-root")
}

# Every state directory has a slot of 40 ports of its own, below the range that the kernel hands out to clients;
# so two stacks meet only by chance, and then pick_ports moves the later one on.
stack_slot() { echo $(($(cksum <<<"$A4C_STACK_DIR" | cut -d' ' -f1) % 250)); }
port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# pick_ports FILE OFFSET COUNT: writes COUNT free ports to FILE, and keeps those it has while they are free.
# Only for a part of which nothing runs.
pick_ports() {
  local file=$1 offset=$2 count=$3 slot base i ports=()
  if [[ -s $file ]]; then read -r -a ports <"$file"; fi
  if ((${#ports[@]} == count)) && ! any_port_open "${ports[@]}"; then return 0; fi
  slot=$(stack_slot)
  for ((i = 0; i < 250; i++)); do
    base=$((20000 + (slot + i) % 250 * 40 + offset))
    mapfile -t ports < <(seq "$base" $((base + count - 1)))
    if ! any_port_open "${ports[@]}"; then echo "${ports[*]}" >"$file"; return 0; fi
  done
  die "no $count free ports between 20000 and 30000 on 127.0.0.1"
}
any_port_open() {
  local port
  for port in "$@"; do if port_open "$port"; then return 0; fi; done
  return 1
}

# write_env FILE: stdin becomes FILE in one step, so that nobody reads half of it.
write_env() { cat >"$1.new" && mv "$1.new" "$1"; }

find_java() {
  local java=${JAVA_HOME:+$JAVA_HOME/bin/java}
  java=${java:-$(command -v java || true)}
  [[ -x $java ]] || die "no java found: run '$STACK_HERE/stack install $PART', or set JAVA_HOME"
  echo "$java"
}

# fetch_jars POM DIR [mvn arguments]: DIR gets the jars that POM lists, once for each text of POM.
fetch_jars() {
  local pom=$1 dir=$2 want new
  shift 2
  want=$(cat "$pom" <(printf '%s\n' "$@") | sha256sum | cut -d' ' -f1)
  if [[ $(cat "$dir/.pom.sha256" 2>/dev/null) == "$want" ]]; then return 0; fi
  mkdir -p "$(dirname "$dir")"
  new=$(mktemp -d "$dir.XXXXXX")
  say "fetching jars with mvn (once)"
  if ! mvn -B -ntp -q -f "$pom" "$@" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$new" >"$dir.mvn.log" 2>&1; then
    rm -rf -- "$new"
    tail -n 20 "$dir.mvn.log" >&2
    die "mvn could not fetch the jars: see $dir.mvn.log (is a Maven repository reachable? set it in ~/.m2/settings.xml)"
  fi
  echo "$want" >"$new/.pom.sha256"
  rm -rf -- "$dir"
  mv "$new" "$dir"
  say "$(find "$dir" -name '*.jar' | wc -l) jars, $(du -sm "$dir" | cut -f1) MB"
}

# What the JVM servers (kafka, search) have in common: node i lives in $root/node$i and carries this mark.
root=''
node_mark() { echo "-Da4c.node=$root/node$1"; }
node_pid() { own_pid "$root/node$1/pid" "$(node_mark "$1") "; }
nodes_there() { find "$root" -maxdepth 1 -name 'node[0-9]*' 2>/dev/null | sed 's/.*node//' | sort -n; }
any_node_runs() {
  local i
  for i in $(nodes_there); do if node_pid "$i" >/dev/null; then return 0; fi; done
  return 1
}
node_failed() { # node_failed I WHAT: shows the end of the node's logs
  tail -n 30 "$root/node$1"/logs/*.log >&2 || true
  die "node $1 $2: see $root/node$1/logs, then run up again"
}

# stop_nodes SECONDS [--clean] [I...]: all nodes, or those named, at once.
stop_nodes() {
  local wait_s=$1 clean=0 i which
  shift
  if [[ ${1:-} == --clean ]]; then clean=1 wait_s=2; shift; fi # what is to be thrown away need not be flushed
  which=("$@")
  if ((${#which[@]} == 0)); then mapfile -t which < <(nodes_there); fi
  for i in "${which[@]}"; do stop_pid "$root/node$i/pid" "$(node_mark "$i") " "$wait_s" & done
  wait
  for i in "${which[@]}"; do if node_pid "$i" >/dev/null; then die "node $i does not end"; fi; done
  if ((clean && $# == 0)); then rm -rf -- "$root"; fi
}

# status_nodes: one line per node. 0: all up, 2: some, 1: none.
status_nodes() {
  local i pid port rc=0 ports
  any_node_runs || return 1
  read -r -a ports <"$root/ports"
  for i in $(nodes_there); do
    port=${ports[$((i - 1))]}
    if pid=$(node_pid "$i"); then echo "node$i 127.0.0.1:$port pid $pid, $(rss_mb "$pid")"
    else echo "node$i 127.0.0.1:$port down"; rc=2; fi
  done
  return "$rc"
}
