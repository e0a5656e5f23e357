#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A run on hosts that ssh reaches without a password, until it is over:
#   deploy/ssh/run.sh HOSTS JOB_FILE
# HOSTS is a file with a line for each process, `HOST ROLE [FLAGS]`; a role is server, worker or evaluator:
#   node-0  server  --insecure
#   node-1  server  --insecure
#   node-1  worker  --threads=8
#   node-2  worker  --device=cuda:0
#   node-2  evaluator
# From the environment: DIR (of checkpoints, on every host: conadv-run), BIN (where the programs are on every host; else PATH
# there), PORT (of shard 0; shard K's is K more: 7000), OUT (of logs and results, here: out/ssh), SSH_FLAGS.
#
# A process that fails is started again, at most 3 times each; one that ends with 42 ends the run, as it never will do
# (docs/exit_codes.md). Ctrl-C, SIGTERM or the end of this script stops every process: servers write a checkpoint, and
# the same command goes on from it.
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: $0 HOSTS JOB_FILE" >&2; exit 2; }
hosts_file=$1 job=$2
DIR=${DIR:-conadv-run} PORT=${PORT:-7000} OUT=${OUT:-out/ssh} BIN=${BIN:+$BIN/}
read -ra ssh_flags <<<"${SSH_FLAGS:--o BatchMode=yes -o ServerAliveInterval=15}"
mkdir -p "$OUT"

hosts=() roles=() flags=() names=() server_hosts=()
while read -r host role more; do
  [[ -n $host && $host != \#* ]] || continue
  [[ $role =~ ^(server|worker|evaluator)$ ]] || { echo "$hosts_file: no role '$role' for $host" >&2; exit 2; }
  names+=("$role-$(printf '%s\n' "${roles[@]}" | grep -cx "$role" || true)")
  hosts+=("$host") roles+=("$role") flags+=("$more")
  [ "$role" != server ] || server_hosts+=("$host:$((PORT + ${#server_hosts[@]}))")
done <"$hosts_file"
[ ${#server_hosts[@]} -gt 0 ] || { echo "$hosts_file: no server" >&2; exit 2; }
servers=$(IFS=,; echo "${server_hosts[*]}")

# The command line of process $1 on its host.
command_of() {
  local shard=${names[$1]#server-} common="--servers=$servers"
  case ${roles[$1]} in
    server) echo "${BIN}conadv-server $common --shard=$shard --listen=0.0.0.0:$((PORT + shard)) --job=job.textproto" \
      "--checkpoint_dir=checkpoints --evaluator_patience=10m ${flags[$1]}" ;;
    worker) echo "${BIN}conadv-worker $common --connect_timeout=600 ${flags[$1]}" ;;
    evaluator) echo "${BIN}conadv-worker --role=evaluator $common --export=model.pt --connect_timeout=600 ${flags[$1]}" ;;
  esac
}

# Every ssh reads from this pipe, in which nothing ever is: its end tells the other side to stop its process, and it comes when
# this script ends, however it ends.
pipe=$(mktemp -u "${TMPDIR:-/tmp}/conadv.XXXXXX")
mkfifo "$pipe"
exec {alive}<>"$pipe"

# What a host runs: the program, and who tells it to end when standard input does.
remote='mkdir -p "$0" && cd "$0" || exit 1
exec 3<&0
$1 </dev/null & process=$!
{ read -r _ <&3; kill -TERM $process; } >/dev/null 2>&1 & watcher=$!
wait $process; code=$?
kill $watcher 2>/dev/null
exit $code'

# For any POSIX shell.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# Starts process $1 in $2 seconds. Ctrl-C is for this script: ssh must stay to bring the exit code.
start() {
  (
    trap '' INT
    exec {alive}>&-
    sleep "$2"
    exec ssh "${ssh_flags[@]}" "${hosts[$1]}" "sh -c $(quoted "$remote") $(quoted "$DIR") $(quoted "$(command_of "$1")")" \
      <"$pipe" >>"$OUT/${names[$1]}.log" 2>&1
  ) &
  process_of[$!]=$1
}

declare -A process_of=()
failures=()
stopped=
# Ends every process; this script then exits with $1.
stop() {
  [ -n "$stopped" ] || { stopped=$1 && exec {alive}>&-; }
}
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'rm -f "$pipe"' EXIT

# How many servers and evaluators have not ended with 0: the run is over when there are none.
needed=0
for i in "${!hosts[@]}"; do
  failures+=(0)
  [ "${roles[$i]}" = worker ] || needed=$((needed + 1))
  if [ "${roles[$i]}" = server ]; then
    ssh "${ssh_flags[@]}" "${hosts[$i]}" "mkdir -p $(quoted "$DIR") && cat > $(quoted "$DIR")/job.textproto" <"$job"
  fi
done
for i in "${!hosts[@]}"; do start "$i" 0; done

while [ ${#process_of[@]} -gt 0 ]; do
  code=0 ended=
  wait -n -p ended "${!process_of[@]}" || code=$?
  # A trap interrupts it.
  [ -n "${ended:-}" ] || continue
  i=${process_of[$ended]}
  unset "process_of[$ended]"
  echo "${names[$i]} on ${hosts[$i]} ended with $code"
  [ -z "$stopped" ] || continue
  if [ "$code" -eq 0 ]; then
    [ "${roles[$i]}" = worker ] || needed=$((needed - 1))
    [ "$needed" -gt 0 ] || stop 0
    continue
  fi
  failures[i]=$((failures[i] + 1))
  if [ "$code" -eq 42 ] || [ "${failures[$i]}" -gt 3 ]; then
    tail -n 5 "$OUT/${names[$i]}.log" >&2
    stop "$code"
  else
    start "$i" "${failures[$i]}"
  fi
done

[ "$stopped" = 0 ] || exit "$stopped"
for i in "${!hosts[@]}"; do
  if [ "${roles[$i]}" = evaluator ]; then
    ssh "${ssh_flags[@]}" "${hosts[$i]}" "cat $(quoted "$DIR")/model.pt" </dev/null >"$OUT/model.pt"
    echo "the model is in $OUT/model.pt"
  fi
done
