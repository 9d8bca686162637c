#!/bin/bash
# As on an EMR node: flushes and disables every table, before a cluster ends whose tables are in S3.
hbase=$(dirname "$(readlink -f "$0")")/hbase
"$hbase" shell -n <<'RUBY'
list.each { |table| disable table if is_enabled(table) }
flush 'hbase:meta'
RUBY
