#!/bin/bash
# Becomes a daemon's JVM, with the heap and the options that its *-env.sh files say, as the engines' own launchers do:
#   daemon-env.sh "FILE:…" "HEAP_VARIABLE …" "OPTIONS_VARIABLE …" JAVA ARG… -cp CLASSPATH CLASS ARG…
# The first heap variable that is set wins; a number alone is megabytes. Options of all variables are added, the later ones win.
files=$1 heaps=$2 options=$3
shift 3
IFS=: read -ra files <<<"$files"
for file in "${files[@]}"; do
  # shellcheck disable=SC1090
  if [ -f "$file" ]; then . "$file"; fi
done

given=()
for name in $heaps; do
  heap=${!name}
  if [ -n "$heap" ]; then
    [[ $heap =~ ^[0-9]+$ ]] && heap=${heap}m
    given+=("-Xmx$heap")
    break
  fi
done
if [ -n "$HADOOP_HEAPSIZE_MIN" ]; then
  [[ $HADOOP_HEAPSIZE_MIN =~ ^[0-9]+$ ]] && HADOOP_HEAPSIZE_MIN=${HADOOP_HEAPSIZE_MIN}m
  given+=("-Xms$HADOOP_HEAPSIZE_MIN")
fi
[ -n "$HADOOP_DAEMON_ROOT_LOGGER" ] && given+=("-Dhadoop.root.logger=$HADOOP_DAEMON_ROOT_LOGGER")
set -f # Options are words, never patterns.
for name in $options; do
  # shellcheck disable=SC2206
  given+=(${!name})
done

collector=
for option in "${given[@]}"; do
  case $option in -XX:+Use*GC) collector=$option ;; esac
done
argv=()
while [ $# -gt 0 ] && [ "$1" != -cp ]; do
  # Two collectors end a JVM at once: the user's is meant.
  [ -n "$collector" ] && [ "$1" = -XX:+UseSerialGC ] || argv+=("$1")
  shift
done
[ "$1" = -cp ] && set -- "$1" "$2${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}" "${@:3}"
exec "${argv[@]}" "${given[@]}" "$@"
