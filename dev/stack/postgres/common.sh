# Sourced by the scripts beside it. PostgreSQL: nodes p, r1 and r2 on loopback, at first p is the primary.
# shellcheck shell=bash disable=SC2034 # the scripts use the variables
#   A4C_STACK_PG_SYNC    synchronous_standby_names, default "ANY 1 (p,r1,r2)": a node is never its own standby, so on p
#                        it means ANY 1 (r1,r2), on r1 after a failover ANY 1 (p,r2); "" = asynchronous
#   A4C_STACK_PG_BIN     folder with initdb, pg_ctl ... (default: newest /usr/lib/postgresql/*/bin, else from PATH)
#   A4C_STACK_WAIT=120   seconds any wait may last
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

PG_NODES=(p r1 r2)
PG_HOST=127.0.0.1
PG_USER=a4c PG_SUPER=admin PG_REPL=replication
PG_SYNC=${A4C_STACK_PG_SYNC-ANY 1 (p,r1,r2)}
PG_WAIT=${A4C_STACK_WAIT:-120}
PG_OS_USER=$(id -un)
PG_BASE=$A4C_STACK_DIR/postgres

# PostgreSQL refuses root. Its own user cannot reach root's home either, so then the data lives in /var/lib.
if [[ $(id -u) == 0 ]]; then
  PG_OS_USER=postgres
  PG_BASE=/var/lib/a4c-stack/$(cksum <<<"$A4C_STACK_DIR" | cut -d' ' -f1)/postgres
fi

PG_BIN=${A4C_STACK_PG_BIN:-$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)}
PG_BIN=${PG_BIN:-$(dirname "$(command -v pg_ctl || echo /nowhere/pg_ctl)")}
[[ -x $PG_BIN/initdb ]] || die "no initdb in $PG_BIN: run '$STACK_HERE/stack install postgres', or set A4C_STACK_PG_BIN"

as_pg() { # runs a command as the servers' user, in a folder that it can enter
  if [[ $(id -u) == 0 ]]; then
    (cd / && exec runuser -u "$PG_OS_USER" -- env PGPASSFILE="$PG_BASE/pgpass" LC_ALL=C "$@")
  else
    PGPASSFILE=$PG_BASE/pgpass LC_ALL=C "$@"
  fi
}
own() { if [[ $(id -u) == 0 ]]; then chown "$PG_OS_USER" "$@"; fi; }

read_ports() { read -r -a PG_PORTS <"$PG_BASE/ports"; }
node_port() {
  local i
  for i in "${!PG_NODES[@]}"; do
    if [[ ${PG_NODES[$i]} == "$1" ]]; then echo "${PG_PORTS[$i]}"; return 0; fi
  done
  die "no such node: $1 (nodes: ${PG_NODES[*]})"
}
node_data() { echo "$PG_BASE/$1/data"; }
node_conf() { echo "$PG_BASE/$1/postgresql.conf"; }
hosts_csv() { echo "$PG_HOST,$PG_HOST,$PG_HOST"; }
ports_csv() { (IFS=,; echo "${PG_PORTS[*]}"); }
dsn() { echo "host=$(hosts_csv) port=$(ports_csv) dbname=a4c user=$1 target_session_attrs=$2 connect_timeout=2"; }
peers_of() { printf '%s\n' "${PG_NODES[@]}" | grep -vx "$1"; }

sql() { # sql NODE STATEMENT: as superuser, on that very node
  as_pg "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 \
    "host=$PG_HOST port=$(node_port "$1") user=$PG_SUPER dbname=postgres connect_timeout=3" -c "$2"
}

node_pid() { # the postmaster's pid, when it is alive and really ours
  own_pid "$(node_data "$1")/postmaster.pid" "$(node_data "$1")"
}
any_node_up() { local n; for n in "${PG_NODES[@]}"; do if node_pid "$n" >/dev/null; then return 0; fi; done; return 1; }
is_primary() { [[ $(sql "$1" 'select pg_is_in_recovery()' 2>/dev/null) == f ]]; }
is_streaming_from() { # is_streaming_from PRIMARY NODE
  [[ $(sql "$1" "select count(*) from pg_stat_replication where application_name='$2' and state='streaming'") == 1 ]]
}
current_primary() {
  local n
  for n in "${PG_NODES[@]}"; do
    if node_pid "$n" >/dev/null && is_primary "$n"; then echo "$n"; return 0; fi
  done
  return 1
}

# Standbys do not inherit slots, so each node gets a (not yet reserving) slot for each of its peers.
ensure_slots() {
  local m
  for m in $(peers_of "$1"); do
    sql "$1" "select pg_create_physical_replication_slot('$m')
      where not exists (select from pg_replication_slots where slot_name='$m')" >/dev/null
  done
}
reset_slots() { # forget what the node kept for its peers in an earlier life as primary
  sql "$1" "select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active" >/dev/null
  ensure_slots "$1"
}

start_node() {
  local data
  data=$(node_data "$1")
  if node_pid "$1" >/dev/null; then return 0; fi
  # After a kill -9 the pid in the lock file may belong to another process by now, which would stop the start.
  rm -f -- "$data/postmaster.pid"
  as_pg "$PG_BIN/pg_ctl" start -s -w -t "$PG_WAIT" -D "$data" -l "$PG_BASE/$1/log" \
    -o "-c config_file=$(node_conf "$1") -D $data" >/dev/null ||
    { tail -n 20 "$PG_BASE/$1/log" >&2 || true; die "node $1 did not start: see $PG_BASE/$1/log, then run up again"; }
}

base_backup() { # base_backup FROM NODE
  as_pg "$PG_BIN/pg_basebackup" -D "$(node_data "$2")" -X stream -c fast --no-sync \
    -d "host=$PG_HOST port=$(node_port "$1") user=$PG_REPL application_name=backup_$2"
  as_pg touch "$(node_data "$2")/standby.signal"
}
