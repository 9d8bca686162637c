#!/bin/sh
# Runs a command at most once, whatever happens to the agent that started this: run-once.sh FOLDER COMMAND ARG ...
# FOLDER/process says who runs it. It is made by a link, which only one can win: the agent, when it declares a start lost, makes the same file,
# so either the agent sees this process or this process does not run the command. FOLDER/exit holds the exit code, whole from the first moment.
folder=$1
shift
read -r pid _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ start _ </proc/self/stat
read -r boot </proc/sys/kernel/random/boot_id
printf '{"pid":%s,"startTime":"%s","bootId":"%s"}\n' "$pid" "$start" "$boot" >"$folder/process.$pid" || exit 1
ln "$folder/process.$pid" "$folder/process" || exit 1
{ echo 600 >/proc/self/oom_score_adj; } 2>/dev/null # see daemon.sh
trap : TERM # the command gets the signal too, and its exit code is still wanted
(exec "$@") # never one of the shell's own commands: its echo changes arguments, and its exit would end this script
code=$?
# On a full disk it waits: an end that nobody knows would be told as a failure.
until echo "$code" 2>/dev/null >"$folder/exit.new" && mv "$folder/exit.new" "$folder/exit"; do sleep 1; done
