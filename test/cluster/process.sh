# shellcheck shell=bash
# Background processes, known by process id and start time, so that an id that was
# given to another program is never taken for ours. Needs: PID, LOG, K8S_WAIT, die.

# Start time of a process. The command name in /proc may hold blanks: cut after its ")".
born() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  local threads=("/proc/$1"/task/*)
  # shellcheck disable=SC2086 # the fields are wanted one by one
  set -- ${stat##*) }
  # The init process may take its time to reap a zombie. But as long as it has another thread, that one
  # is ending, and may hold all that the process had: its ports, say.
  [[ $1 != [ZX] || ${#threads[@]} -gt 1 ]] && echo "${20}"
}

pid_of() { # NAME: its process id, if it is alive and the one that we started
  local pid time
  [ -s "$PID/$1" ] || return 1
  read -r pid time < "$PID/$1"
  [ "$(born "$pid")" = "$time" ] && echo "$pid"
}

start() { # NAME COMMAND...
  local name=$1 pid
  shift
  pid_of "$name" >/dev/null && return 0
  setsid "$@" >> "$LOG/$name.log" 2>&1 < /dev/null 8>&- 9>&- &
  pid=$!
  echo "$pid $(born "$pid")" > "$PID/$name"
}

stop() { # NAME [SECONDS]: TERM, then KILL after SECONDS (0: KILL at once)
  local pid i
  pid=$(pid_of "$1") || { rm -f "$PID/$1"; return 0; }
  [ "${2:-5}" = 0 ] || kill -TERM "$pid" 2>/dev/null || true
  for ((i = 0; i < ${2:-5} * 20; i++)); do
    pid_of "$1" >/dev/null || break
    sleep 0.05
  done
  if pid=$(pid_of "$1"); then
    kill -KILL "$pid" 2>/dev/null || true
    while pid_of "$1" >/dev/null; do sleep 0.02; done
  fi
  rm -f "$PID/$1"
}

await() { # WHAT COMPONENT COMMAND...: until COMMAND succeeds; fails early if COMPONENT dies
  local what=$1 component=$2 deadline=$((SECONDS + K8S_WAIT))
  shift 2
  until "$@" >/dev/null 2>&1; do
    pid_of "$component" >/dev/null || {
      tail -n 15 "$LOG/$component.log" >&2
      die "$component died; see $LOG/$component.log"
    }
    ((SECONDS < deadline)) || die "timed out waiting for $what"
    sleep 0.2
  done
}
