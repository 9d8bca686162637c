#!/bin/bash
# A bootstrap action: runs on every node before its daemons start. This one only says where it runs, and takes arguments.
set -euo pipefail
echo "bootstrap action on $(hostname): greeting $1"
