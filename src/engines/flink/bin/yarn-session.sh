#!/bin/bash
# yarn-session.sh [-d] [-jm MEMORY] [-tm MEMORY] [-s SLOTS] [-nm NAME] [-D NAME=VALUE]: a Flink cluster in YARN, for many jobs.
# shellcheck disable=SC1091
. "$(dirname "$(readlink -f "$0")")/flink-functions.sh"
run_class yarn-session log4j-session.properties org.apache.flink.yarn.cli.FlinkYarnSessionCli -j "$(setting yarn.flink-dist-jar)" "$@"
