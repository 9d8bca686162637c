/*
 * howdah-init: the small program over a node's agent. It survives the control plane, keeps the agent running, and takes the whole node with it when it ends.
 *
 *   howdah-init FOLDER ADDRESS [--view HOSTNAME DATA LINK ENGINES BIND ...] -- AGENT ARG ...
 *
 * Two processes. The guard stays outside; the init is its child, PID 1 of a PID namespace with --view (with user, mount and UTS namespaces,
 * furnished by view.c), else a child subreaper. If either is killed the other ends the node. The
 * kernel ends a PID namespace with its init; without one, orphans pass to the nearest subreaper: init, then guard.
 *
 * FOLDER/run/init.json is written when the node runs: {"pid","startTime","bootId"} of the init as seen from the host.
 * The node's address is claimed for the life of both by the abstract socket @howdah-node/ADDRESS, which all users of the machine share.
 * Exit codes: 75 the address is taken; 71 no namespaces; 70 the view failed; 0 ended by SIGTERM.
 */
#define _GNU_SOURCE
#include "view.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESS_TAKEN = 75, NO_NAMESPACES = 71 };
enum { GRACE_MS = 2000, BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 2000, HEALTHY_MS = 10000 };

static sigset_t watched;

static void die(int code, const char *what) {
  fprintf(stderr, "howdah-init: %s: %s\n", what, strerror(errno));
  exit(code);
}

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for a watched signal, at most `ms` (negative: for ever); 0 when the time is over. */
static int wait_signal(long ms) {
  if (ms < 0) return sigwaitinfo(&watched, NULL);
  struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  int got = sigtimedwait(&watched, NULL, &t);
  return got < 0 ? 0 : got;
}

static void claim(const char *address) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  int n = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "howdah-node/%s", address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die(1, "socket");
  if (bind(fd, (void *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n))) {
    if (errno == EADDRINUSE) exit(ADDRESS_TAKEN);
    die(1, "claim of the address");
  }
}

static pid_t start(char **argv) {
  pid_t pid = fork();
  if (pid) return pid;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvp(argv[0], argv);
  die(127, argv[0]);
  return -1;
}

/* Signals every descendant of this process. For where there is no PID namespace. */
static void signal_descendants(int sig) {
  static struct { pid_t pid, parent; char below; } all[65536];
  int count = 0;
  DIR *proc = opendir("/proc");
  if (!proc) return;
  for (struct dirent *entry; (entry = readdir(proc)) && count < 65536;) {
    char path[64], text[512], *rest;
    pid_t pid = atoi(entry->d_name);
    if (pid <= 0) continue;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    /* The name is in brackets and may hold anything: the parent is the second field after the last bracket. */
    if (!(rest = strrchr(text, ')')) || sscanf(rest, ") %*c %d", &all[count].parent) != 1) continue;
    all[count].pid = pid, all[count].below = 0;
    count++;
  }
  closedir(proc);
  for (int found = 1; found;) {
    found = 0;
    for (int i = 0; i < count; i++) {
      if (all[i].below) continue;
      int below = all[i].parent == getpid();
      for (int j = 0; !below && j < count; j++) below = all[j].below && all[j].pid == all[i].parent;
      if (below) all[i].below = 1, found = 1;
    }
  }
  for (int i = 0; i < count; i++)
    if (all[i].below) kill(all[i].pid, sig);
}

/* Ends everything below: SIGTERM, `grace` ms, then SIGKILL until no child is left. */
static void end_all(int has_namespace, long grace) {
  int sig = grace > 0 ? SIGTERM : SIGKILL;
  long kill_at = now_ms() + grace;
  for (int sent = 0;;) {
    pid_t got;
    while ((got = waitpid(-1, NULL, WNOHANG)) > 0) {}
    if (got < 0) return; /* ECHILD: nothing is below any more, for orphans become our children */
    if (sig == SIGTERM && now_ms() >= kill_at) sig = SIGKILL, sent = 0;
    if (!sent || sig == SIGKILL) {
      if (has_namespace) kill(-1, sig);
      else signal_descendants(sig);
      sent = 1;
    }
    wait_signal(sig == SIGTERM ? 50 : 10);
  }
}

/* The init: starts the agent, starts it again when it dies, reaps whatever ends, until SIGTERM. */
static int run_agent(char **agent, int has_namespace) {
  long backoff = BACKOFF_MIN_MS, started = now_ms(), again = -1;
  pid_t pid = start(agent);
  for (;;) {
    int got = wait_signal(again < 0 ? -1 : again > now_ms() ? again - now_ms() : 0);
    if (got == SIGTERM) {
      end_all(has_namespace, GRACE_MS);
      return 0;
    }
    for (pid_t ended; (ended = waitpid(-1, NULL, WNOHANG)) > 0;) {
      if (ended != pid) continue;
      pid = -1;
      if (now_ms() - started > HEALTHY_MS) backoff = BACKOFF_MIN_MS;
      again = now_ms() + backoff;
      backoff = backoff * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff * 2;
    }
    if (again >= 0 && now_ms() >= again) {
      fprintf(stderr, "howdah-init: the agent ended and is started again\n");
      pid = start(agent), started = now_ms(), again = -1;
    }
  }
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) die(NO_NAMESPACES, path);
  close(fd);
}

/* A map of all ids that there are to themselves: a container may have only some of them. */
static void all_ids(const char *own, char *map, size_t size) {
  FILE *file = fopen(own, "re");
  unsigned first, count;
  size_t used = 0;
  if (!file) die(NO_NAMESPACES, own);
  while (used < size && fscanf(file, "%u %*u %u", &first, &count) == 2) used += snprintf(map + used, size - used, "%u %u %u\n", first, first, count);
  fclose(file);
}

/* Inside, the caller is uid 0. A root keeps all ids, so that files of other users stay readable; another user has only their own. */
static void map_ids(pid_t pid) {
  char path[64], uids[4000], gids[4000];
  int root = geteuid() == 0;
  if (root) {
    all_ids("/proc/self/uid_map", uids, sizeof uids);
    all_ids("/proc/self/gid_map", gids, sizeof gids);
  } else {
    snprintf(uids, sizeof uids, "0 %u 1", geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", getegid());
  }
  snprintf(path, sizeof path, "/proc/%d/setgroups", pid);
  if (!root) write_file(path, "deny");
  snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
  write_file(path, uids);
  snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
  write_file(path, gids);
}

static void record(const char *folder, pid_t pid) {
  char path[4096], ready[4096], text[1024] = "", boot[64] = "";
  unsigned long long begun = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) {
    char *rest = strrchr(text, ')');
    if (rest) sscanf(rest, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &begun);
  }
  if (fd >= 0) close(fd);
  fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, boot, sizeof boot - 1) > 0) boot[strcspn(boot, "\n")] = 0;
  if (fd >= 0) close(fd);
  snprintf(path, sizeof path, "%s/run/.init.json", folder);
  snprintf(ready, sizeof ready, "%s/run/init.json", folder);
  FILE *file = fopen(path, "we");
  if (!file) die(1, path);
  fprintf(file, "{\"pid\":%d,\"startTime\":\"%llu\",\"bootId\":\"%s\"}\n", pid, begun, boot);
  if (fclose(file) || rename(path, ready)) die(1, ready);
}

int main(int argc, char **argv) {
  int view = argc > 8 && strcmp(argv[3], "--view") == 0, split = 3;
  while (split < argc && strcmp(argv[split], "--") != 0) split++;
  if (argc < 5 || split + 1 >= argc || (view ? split < 8 : split != 3)) {
    fprintf(stderr, "usage: howdah-init FOLDER ADDRESS [--view HOSTNAME DATA LINK ENGINES BIND ...] -- AGENT ARG ...\n");
    return 64;
  }
  const char *folder = argv[1];
  char **agent = argv + split + 1;
  argv[split] = NULL;
  setsid(); /* fails harmlessly where the caller has made a session for us */
  sigemptyset(&watched);
  sigaddset(&watched, SIGTERM);
  sigaddset(&watched, SIGCHLD);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  claim(argv[2]);

  int go[2], up[2];
  if (pipe2(go, O_CLOEXEC) || pipe2(up, O_CLOEXEC)) die(1, "pipe");
  if (!view) prctl(PR_SET_CHILD_SUBREAPER, 1);
  long flags = SIGCHLD | (view ? CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS : 0);
  pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
  if (pid < 0) die(NO_NAMESPACES, "user namespace");

  if (pid == 0) {
    char byte;
    close(go[1]), close(up[0]);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* without the guard the node ends, in order */
    if (!view) prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (read(go[0], &byte, 1) != 1) return 1; /* the guard is gone already */
    if (view) {
      struct view its = {argv[5], argv[6], argv[7], argv + 8};
      if (sethostname(argv[4], strlen(argv[4]))) die(SETUP_FAILED, "sethostname");
      furnish(folder, &its);
    }
    if (write(up[1], "+", 1) != 1) return 1;
    close(go[0]), close(up[1]);
    return run_agent(agent, view);
  }

  char byte;
  close(go[0]), close(up[1]);
  if (view) map_ids(pid);
  if (write(go[1], "+", 1) != 1) die(1, "pipe");
  if (read(up[0], &byte, 1) == 1) record(folder, pid);
  close(go[1]), close(up[0]);
  for (int status;;) {
    pid_t got = waitpid(pid, &status, WNOHANG);
    if (got == pid) {
      if (!view) end_all(0, 0);
      return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    if (wait_signal(-1) == SIGTERM) kill(pid, SIGTERM);
  }
}
