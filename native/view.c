/*
 * Furnishes a node in degree `view`: called by howdah-init as uid 0 of fresh user, mount, PID and UTS namespaces, never on the host itself. By
 * system calls, because eighty short commands of a shell cost each node a fifth of a second of CPU.
 *
 * The node sees the host's programs, but writes only to itself: each top folder of the host is the lower layer of an overlay whose upper layer
 * is NODE/upper (what the provider has put there shadows the host's files). Own are /tmp, /run, /mnt, /dev and /proc. NODE and, read-only, LINK
 * and every BIND are at their own path; the rest of DATA, with other nodes' secrets, is hidden. ENGINES, the machine's cache, is there too, with
 * what this node has changed of it (NODE/engines) over it: a jar put in /usr/lib/spark/jars is this node's alone.
 * It keeps accidents inside, and is no wall against a hostile program: whoever is uid 0 in there can take these mounts away again.
 */
#define _GNU_SOURCE
#include "view.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LONG = 4096, DEEPEST = 3 };
static const char *own[] = {"tmp", "run", "mnt"};

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "howdah-init: the node's view: %s: %s\n", what, strerror(errno));
  exit(SETUP_FAILED);
}

/* A path that lives until the next four calls. */
static const char *path(const char *format, ...) {
  static char all[4][LONG];
  static unsigned turn;
  char *text = all[turn++ % 4];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(text, LONG, format, args);
  va_end(args);
  if (length >= LONG) errno = ENAMETOOLONG, fail(text);
  return text;
}

static int is(const char *at, mode_t type) {
  struct stat found;
  return lstat(at, &found) == 0 && (found.st_mode & S_IFMT) == type;
}

/* As mkdir -p. */
static void folder(const char *at) {
  char whole[LONG];
  snprintf(whole, sizeof whole, "%s", at);
  for (char *slash = whole + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    mkdir(whole, 0777); /* an end of the way says what was wrong */
    *slash = '/';
  }
  struct stat found;
  if (mkdir(whole, 0777) && !(errno == EEXIST && stat(whole, &found) == 0 && S_ISDIR(found.st_mode))) fail(at);
}

static void empty_file(const char *at) {
  int fd = open(at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) fail(at);
  close(fd);
}

static void copy_link(const char *from, const char *to) {
  char target[LONG];
  ssize_t length = readlink(from, target, sizeof target - 1);
  if (length < 0) fail(from);
  target[length] = 0;
  if (symlink(target, to)) fail(to);
}

static void must_mount(const char *type, const char *at, const char *options) {
  if (mount("howdah", at, type, 0, options)) fail(at);
}

static void bind(const char *from, const char *at, unsigned long more) {
  if (mount(from, at, NULL, MS_BIND | more, NULL)) fail(path("%s at %s", from, at));
}

/* Flags that the kernel has locked stay as they are, or it refuses; where it does so all the same, the mount stays as the host has it. */
static void read_only(const char *at) {
  struct statvfs has;
  unsigned long kept = 0;
  if (statvfs(at, &has) == 0) {
    kept = has.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME);
    if (has.f_flag & ST_RELATIME) kept |= MS_RELATIME;
  }
  mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, NULL);
}

static void bind_read_only(const char *from, const char *at) {
  bind(from, at, MS_REC);
  read_only(at);
}

static void at_own_path(const char *from) {
  const char *at = path("root%s", from);
  folder(at);
  bind_read_only(from, at);
}

static int overlay(const char *lower, const char *upper, const char *work, const char *at) {
  char options[4 * LONG];
  snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s,userxattr", lower, upper, work);
  return mount("overlay", at, "overlay", 0, options) == 0;
}

/*
 * The host's folder, writable for the node. A folder with mounts inside cannot be overlaid in a user namespace: then it becomes the node's own,
 * filled with the layered folders and the files of the host, two levels down.
 */
static void layer(const char *host, int depth) {
  static int layers;
  char upper[LONG], work[LONG], at[LONG];
  snprintf(upper, sizeof upper, "upper%s", host);
  snprintf(work, sizeof work, "work/%d", ++layers);
  snprintf(at, sizeof at, "root%s", host);
  folder(upper), folder(work), folder(at);
  if (overlay(host, upper, work, at)) return;
  if (depth >= DEEPEST) {
    bind_read_only(host, at);
    return;
  }
  bind(upper, at, 0);
  struct dirent **entries;
  int count = scandir(host, &entries, NULL, alphasort);
  for (int i = 0; i < count; free(entries[i++])) {
    char entry[LONG], shadow[LONG + 8];
    struct stat found;
    if (strcmp(entries[i]->d_name, ".") == 0 || strcmp(entries[i]->d_name, "..") == 0) continue;
    if (snprintf(entry, sizeof entry, "%s/%s", host, entries[i]->d_name) >= LONG) continue;
    snprintf(shadow, sizeof shadow, "upper%s", entry);
    if (is(entry, S_IFLNK)) {
      if (lstat(shadow, &found)) copy_link(entry, path("root%s", entry));
    } else if (is(entry, S_IFDIR)) {
      layer(entry, depth + 1);
    } else if (is(entry, S_IFREG) && (stat(shadow, &found) || found.st_size == 0)) { /* an empty one is the place of an earlier launch */
      empty_file(path("root%s", entry));
      bind_read_only(entry, path("root%s", entry));
    }
  }
  if (count >= 0) free(entries);
}

/* Each top folder of the host but those that are the node's own. */
static void layers(void) {
  static const char *others[] = {"proc", "sys", "dev", "lost+found"};
  struct dirent **entries;
  int count = scandir("/", &entries, NULL, alphasort);
  if (count < 0) fail("/");
  for (int i = 0; i < count; free(entries[i++])) {
    const char *name = entries[i]->d_name;
    int skip = name[0] == '.';
    for (size_t n = 0; n < sizeof own / sizeof *own; n++) skip |= strcmp(name, own[n]) == 0;
    for (size_t n = 0; n < sizeof others / sizeof *others; n++) skip |= strcmp(name, others[n]) == 0;
    if (skip) continue;
    const char *host = path("/%s", name), *at = path("root/%s", name);
    if (is(host, S_IFLNK)) {
      if (!is(at, S_IFLNK)) copy_link(host, at);
    } else if (is(host, S_IFDIR)) {
      char kept[LONG];
      snprintf(kept, sizeof kept, "%s", host); /* path() is used again on the way down */
      layer(kept, 1);
    }
  }
  free(entries);
}

static void devices(void) {
  static const char *all[] = {"null", "zero", "full", "random", "urandom", "tty"};
  static const char *links[][2] = {{"/proc/self/fd", "fd"}, {"fd/0", "stdin"}, {"fd/1", "stdout"}, {"fd/2", "stderr"}};
  must_mount("tmpfs", "root/dev", "mode=755,size=64k");
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    empty_file(path("root/dev/%s", all[i]));
    bind(path("/dev/%s", all[i]), path("root/dev/%s", all[i]), 0);
  }
  folder("root/dev/shm"), folder("root/dev/pts");
  must_mount("tmpfs", "root/dev/shm", "mode=1777");
  if (mount("devpts", "root/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") == 0 && symlink("pts/ptmx", "root/dev/ptmx")) fail("ptmx");
  for (size_t i = 0; i < sizeof links / sizeof *links; i++)
    if (symlink(links[i][0], path("root/dev/%s", links[i][1]))) fail(links[i][1]);
}

/* Undoes mountinfo's \040 and the like, in place. */
static void unescape(char *text) {
  char *to = text;
  for (char *from = text; *from; to++) {
    if (from[0] == '\\' && from[1] && from[2] && from[3]) {
      *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else *to = *from++;
  }
  *to = 0;
}

/* Real root owns the kernel's settings inside a user namespace too. */
static void kernel_settings(const char *node) {
  static const char *settings[] = {"sys", "sysrq-trigger"};
  if (access("/proc/sys/kernel/core_pattern", W_OK)) return;
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    const char *at = path("root/proc/%s", settings[i]);
    if (access(at, F_OK)) continue;
    bind(at, at, 0);
    read_only(at);
  }
  FILE *mounts = fopen("/proc/self/mountinfo", "re");
  char *line = NULL, point[LONG];
  size_t size = 0, length = strlen(node);
  if (!mounts) fail("/proc/self/mountinfo");
  while (getline(&line, &size, mounts) > 0) {
    if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1) continue;
    unescape(point);
    if (strncmp(point, node, length) == 0 && strncmp(point + length, "/root/sys", 9) == 0) read_only(point);
  }
  free(line);
  fclose(mounts);
}

static int is_inside(const char *at, const char *outer) {
  size_t length = strlen(outer);
  return strncmp(at, outer, length) == 0 && at[length] == '/' && at[length + 1];
}

/* Where the cache's disk takes no overlay, the node sees it read-only. */
static void engines_at_own_path(const char *engines) {
  const char *at = path("root%s", engines);
  folder("engines"), folder("work/engines"), folder(at);
  if (!overlay(engines, "engines", "work/engines", at)) bind_read_only(engines, at);
}

/* Volumes that are filesystems of their own: volumes.sh has mounted them outside of NODE, which could not be bound with the host's mounts inside. */
static void volumes(const char *node) {
  static const char ending[] = ".ext4";
  struct dirent **entries;
  int count = scandir("volumes", &entries, NULL, alphasort);
  if (count < 0) return; /* they are folders of NODE */
  for (int i = 0; i < count; free(entries[i++])) {
    char *end = strstr(entries[i]->d_name, ending);
    if (!end || end[sizeof ending - 1]) continue;
    *end = 0;
    bind(path("/run/howdah-volumes/%s", entries[i]->d_name), path("%s/%s", node, entries[i]->d_name), 0);
  }
  free(entries);
}

void furnish(const char *node, const struct view *view) {
  if (chdir(node)) fail(node); /* so that no path of the data folder is ever part of overlay's options, which know no quoting */
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("/");
  bind("root", "root", 0); /* a root must be a mount; what programs put right under / stays on the disk */
  layers();
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    const char *upper = path("upper/%s", own[i]), *at = path("root/%s", own[i]);
    folder(upper), folder(at);
    bind(upper, at, 0);
  }
  bind("tmp", "root/tmp", 0);
  bind("logs", "root/mnt/var/log", 0);
  bind("home", "root/home/hadoop", 0);

  folder("root/proc"), folder("root/sys"), folder("root/dev"), folder("root/.host");
  must_mount("proc", "root/proc", NULL);
  bind("/sys", "root/sys", MS_REC);
  devices();
  kernel_settings(node);

  /* A BIND may hold DATA (the project's folder does in a demo), or be inside it: the outer ones first, then DATA hidden, then the inner ones. */
  for (char **one = view->binds; *one; one++)
    if (!is_inside(*one, view->data)) at_own_path(*one);
  if (!is_inside(view->engines, view->data)) engines_at_own_path(view->engines);
  const char *data = path("root%s", view->data), *at = path("root%s", node);
  folder(data);
  must_mount("tmpfs", data, "mode=755,size=1m");
  folder(at);
  bind(node, at, 0); /* without the mounts in it, which are this very view */
  char inside[LONG];
  snprintf(inside, sizeof inside, "root%s", node);
  volumes(inside);
  at_own_path(view->link);
  for (char **one = view->binds; *one; one++)
    if (is_inside(*one, view->data)) at_own_path(*one);
  if (is_inside(view->engines, view->data)) engines_at_own_path(view->engines);

  if (chdir("root") || syscall(SYS_pivot_root, ".", ".host") || chdir("/") || umount2("/.host", MNT_DETACH)) fail("its root");
}
