# Read by the other scripts: `check NAME COMMAND …` says which command did not hold, and what it wrote.
failed=0
check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then echo "ok: $name"; else echo "FAILED: $name: $said" | tee /dev/stderr; failed=1; fi
}
# refused NAME PATTERN COMMAND …: it must fail, and say why.
refused() {
  local name=$1 pattern=$2 said
  shift 2
  if said=$("$@" 2>&1); then echo "FAILED: $name: it did not fail: $said" | tee /dev/stderr; failed=1; return; fi
  if grep -q -e "$pattern" <<< "$said"; then echo "ok: $name"; else echo "FAILED: $name: it said: $said" | tee /dev/stderr; failed=1; fi
}
# eventually COMMAND …: until it holds, for what follows a restart.
eventually() {
  local n
  for n in {1..240}; do "$@" > /dev/null 2>&1 && return; sleep 0.5; done
  "$@"
}
trap 'exit $failed' EXIT
