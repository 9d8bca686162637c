#!/bin/bash
# Mounts a node's volumes in a mount namespace of this process's own, and becomes howdah-init there. Started by root, under `unshare --mount`.
#
#   volumes.sh NODE_FOLDER view|plain BYTES,BYTES,… COMMAND ARG ...
#
# Each is a sparse file, NODE_FOLDER/volumes/NAME.ext4, made at the node's first launch. Whatever ends the node's last process ends its namespace, and the kernel
# then takes mounts and loop devices away: nothing has to be cleaned up. In degree view they are mounted outside of NODE_FOLDER, and view.c binds them into it.
set -e
PATH=$PATH:/usr/sbin:/sbin
node=$1 degree=$2 sizes=$3
shift 3
points=/run/howdah-volumes # empty folders, which all nodes share: each has mounts of its own there
mkdir -p "$node/volumes"
index=0
for bytes in ${sizes//,/ }; do
  name=data
  [ $index = 0 ] || name+=$index
  image=$node/volumes/$name.ext4
  if [ ! -e "$image" ]; then
    truncate -s "$bytes" "$image.new"
    mke2fs -q -F -t ext4 -m 0 -i 65536 -J size=16 -E nodiscard,lazy_itable_init=1,lazy_journal_init=1,assume_storage_prezeroed=1 "$image.new"
    mv "$image.new" "$image"
  fi
  # Those of an earlier launch go with its last process: the same file is never mounted twice.
  for ((i = 0; i < 200; i++)); do
    [ -n "$(losetup --associated "$image")" ] || break
    sleep 0.1
  done
  point=$node/$name
  [ "$degree" = plain ] || point=$points/$name
  mkdir -p "$node/$name" "$point"
  # `discard`: what is deleted on the volume is free again on the host.
  mount -t ext4 -o loop,noatime,discard "$image" "$point"
  index=$((index + 1))
done
exec "$@"
