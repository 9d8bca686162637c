#!/bin/bash
# Furnishes a node in degree `view`: run by howdah-init as uid 0 of fresh user, mount, PID and UTS namespaces, never on the host itself.
#
#   node.sh NODE_FOLDER DATA_ROOT LINK_FOLDER ENGINES BIND ...
#
# The node sees the host's programs, but writes only to itself: each top folder of the host is the lower layer of an overlay whose upper layer
# is NODE_FOLDER/upper (what the provider has put there shadows the host's files). Own are /tmp, /run, /mnt, /dev and /proc. NODE_FOLDER and,
# read-only, LINK_FOLDER and every BIND are at their own path; the rest of DATA_ROOT, with other nodes' secrets, is hidden. ENGINES, the machine's
# cache, is there too, with what this node has changed of it (NODE_FOLDER/engines) over it: a jar put in /usr/lib/spark/jars is this node's alone.
# It keeps accidents inside, and is no wall against a hostile program: whoever is uid 0 in there can take these mounts away again.
set -e
PATH=$PATH:/usr/sbin:/sbin # where Debian has pivot_root, and a user's own PATH has it not
node=$1 data=$2 link=$3 engines=$4
shift 4
cd "$node" # so that no path of the data folder is ever part of overlay's options, which know no quoting
root=$node/root
layers=0

mount --make-rprivate /
mount --bind root root # a root must be a mount; what programs put right under / stays on the disk

bind_read_only() {
  mount --rbind "$1" "$2"
  mount -o remount,bind,ro "$2" 2>/dev/null || : # a mount with locked flags: it stays as the host has it
}

# layer PATH DEPTH: the host's folder PATH, writable for the node. A folder with mounts inside cannot be overlaid in a user namespace:
# then it becomes the node's own, filled with the layered folders and the files of the host, two levels down.
layer() {
  local path=$1 depth=$2 entry
  layers=$((layers + 1))
  mkdir -p "upper$path" "work/$layers" "root$path"
  mount -t overlay overlay -o "lowerdir=$path,upperdir=upper$path,workdir=work/$layers,userxattr" "root$path" 2>/dev/null && return
  if [ "$depth" -ge 3 ]; then
    bind_read_only "$path" "root$path"
    return
  fi
  mount --bind "upper$path" "root$path"
  for entry in "$path"/* "$path"/.[!.]*; do
    if [ -L "$entry" ]; then
      [ -L "upper$entry" ] || [ -e "upper$entry" ] || cp -P "$entry" "root$entry"
    elif [ -d "$entry" ]; then
      layer "$entry" $((depth + 1))
    elif [ -f "$entry" ] && [ ! -s "upper$entry" ]; then # an empty one is the place of an earlier launch
      : >"root$entry"
      bind_read_only "$entry" "root$entry"
    fi
  done
}

# at_own_path PATH: a folder of the host, read-only.
at_own_path() {
  mkdir -p "$root$1"
  bind_read_only "$1" "$root$1"
}

# engines_at_own_path: where the cache's disk takes no overlay, the node sees it read-only.
engines_at_own_path() {
  mkdir -p engines work/engines "$root$engines"
  (cd "$node" && mount -t overlay overlay -o "lowerdir=$engines,upperdir=engines,workdir=work/engines,userxattr" "$root$engines" 2>/dev/null) ||
    bind_read_only "$engines" "$root$engines"
}

for path in /*; do
  case ${path#/} in
  proc | sys | dev | tmp | run | mnt | lost+found) continue ;;
  esac
  if [ -L "$path" ]; then [ -L "root$path" ] || cp -P "$path" root/; elif [ -d "$path" ]; then layer "$path" 1; fi
done
for own in tmp run mnt; do
  mkdir -p "upper/$own" "root/$own"
  mount --bind "upper/$own" "root/$own"
done
mount --bind tmp root/tmp
mount --bind logs root/mnt/var/log
mount --bind home root/home/hadoop

mkdir -p root/proc root/sys root/dev root/.host
mount -t proc proc root/proc
mount --rbind /sys root/sys
mount -t tmpfs -o mode=755,size=64k howdah root/dev
for device in null zero full random urandom tty; do
  : >root/dev/$device
  mount --bind /dev/$device root/dev/$device
done
mkdir root/dev/shm root/dev/pts
mount -t tmpfs -o mode=1777 howdah root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts root/dev/pts 2>/dev/null && ln -s pts/ptmx root/dev/ptmx
ln -s /proc/self/fd root/dev/fd
ln -s fd/0 root/dev/stdin
ln -s fd/1 root/dev/stdout
ln -s fd/2 root/dev/stderr
# Real root owns the kernel's settings inside a user namespace too.
if [ -w /proc/sys/kernel/core_pattern ]; then
  for setting in sys sysrq-trigger; do
    [ -e root/proc/$setting ] || continue
    mount --bind root/proc/$setting root/proc/$setting
    mount -o remount,bind,ro root/proc/$setting
  done
  while read -r _ _ _ _ point _; do
    point=$(printf %b "$point") # blanks are octal there
    case $point in "$root/sys"*) mount -o remount,bind,ro "$point" 2>/dev/null || : ;; esac
  done </proc/self/mountinfo
fi

# A BIND may hold DATA_ROOT (the project's folder does in a demo), or be inside it: the outer ones first, then DATA_ROOT hidden, then the inner ones.
for path; do case $path/ in "$data"/?*) ;; *) at_own_path "$path" ;; esac; done
case $engines/ in "$data"/?*) ;; *) engines_at_own_path ;; esac
mkdir -p "$root$data"
mount -t tmpfs -o mode=755,size=1m howdah "$root$data"
mkdir -p "$root$node"
mount --bind "$node" "$root$node" # without the mounts in it, which are this very view
at_own_path "$link"
for path; do case $path/ in "$data"/?*) at_own_path "$path" ;; esac; done
case $engines/ in "$data"/?*) engines_at_own_path ;; esac

cd "$root"
pivot_root . .host
cd /
umount -l /.host
