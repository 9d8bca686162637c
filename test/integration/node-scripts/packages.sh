#!/bin/bash
# Packages of the operating system, into the node.
. /tmp/checks.sh
check "what the bootstrap action has installed is there" hello
check "sudo apt-get install" sudo apt-get install -y sl
check "dpkg knows it" dpkg -s sl
check "sudo dnf list installed" sudo dnf list installed hello
check "sudo yum remove" sudo yum remove -y sl
refused "it is removed" "not installed" dpkg -s sl
refused "a package that is none" "could not install" sudo yum install -y no-such-package-anywhere
refused "an rpm" "takes no rpm" sudo yum install -y https://example.com/x.rpm
# A lock that somebody holds on the host's database is another file than the node's.
check "the node's lock is its own" bash -c 'sudo touch /var/lib/dpkg/lock-frontend && sudo flock -n /var/lib/dpkg/lock-frontend true'
