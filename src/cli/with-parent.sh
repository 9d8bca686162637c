#!/bin/bash
# with-parent.sh COMMAND ARG…: runs a command that ends when standard input does, so that it never outlives who started it.
# Ctrl-C is the starter's to answer: it closes standard input.
trap '' INT HUP
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{
  cat <&3 >/dev/null
  kill "$child" 2>/dev/null
} &
exec 3<&-
wait "$child"
