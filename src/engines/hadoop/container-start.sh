# Sourced (BASH_ENV) by the bash that starts a YARN container, before any of its program runs. YARN gives out the memory that EMR gives the
# instance type, whatever the host has: so a container waits here while the host is short of memory, instead of making it swap, and is the
# first to end where memory runs out all the same.
case ${0##*/} in
launch_container.sh)
  { echo 900 >/proc/self/oom_score_adj; } 2>/dev/null
  howdah_waited=0
  while :; do
    while read -r howdah_name howdah_kb _; do
      case $howdah_name in MemTotal:) howdah_least=$((howdah_kb / 25)) ;; MemAvailable:) break ;; esac
    done <"${HOWDAH_MEMINFO:-/proc/meminfo}"
    [ "$howdah_kb" -lt "$howdah_least" ] || break
    howdah_said="the host has less than 4 % of its memory free: YARN containers start when it has more"
    [ "$howdah_waited" -gt 0 ] || echo "$howdah_said" 2>/dev/null >"@WARNINGS@/memory"
    if [ "$howdah_waited" -ge "${HOWDAH_MEMORY_PATIENCE:-360}" ]; then
      echo "Not started: for three minutes $howdah_said" >&2
      exit 1
    fi
    howdah_waited=$((howdah_waited + 1))
    sleep 0.5
  done
  unset howdah_name howdah_kb howdah_least howdah_said howdah_waited
  ;;
esac
