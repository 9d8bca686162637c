#!/bin/sh
# Becomes a daemon after it has recorded who that is: daemon.sh RECORD DIGEST COMMAND ARG ...
# So an agent that is killed between the start and its own note of it finds the daemon again.
record=$1 digest=$2
shift 2
read -r pid _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ start _ </proc/self/stat
read -r boot </proc/sys/kernel/random/boot_id
printf '{"pid":%s,"startTime":"%s","bootId":"%s","digest":"%s"}\n' "$pid" "$start" "$boot" "$digest" >"$record.new" || exit 1
mv "$record.new" "$record" || exit 1
# When the host is out of memory: containers (900, engines/hadoop/container-start.sh) end first, then steps (600), daemons, and agents last.
{ echo 300 >/proc/self/oom_score_adj; } 2>/dev/null
exec "$@"
