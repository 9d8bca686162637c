
# A container of a step with a runtime role asks the node for that role's credentials. YARN's script, which is about to be read, says which step it
# is, and leaves variables as they are that are set already.
case ${0##*/} in
launch_container.sh)
  while IFS= read -r howdah_line; do
    case $howdah_line in
    'export HOWDAH_STEP_ROLE="s-'*'"')
      howdah_line=${howdah_line#*\"}
      howdah_line=${howdah_line%\"}
      export AWS_CONTAINER_CREDENTIALS_FULL_URI="@URL@/$howdah_line"
      export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="@TOKENS@/$howdah_line"
      ;;
    esac
  done <"$0"
  unset howdah_line
  ;;
esac
