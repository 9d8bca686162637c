/*
 * libhowdah.so: gives every program of a node the node's own loopback address (127.64.0.0/10), so that many nodes with all
 * daemons at their standard ports live on one machine without network namespaces. Loaded by LD_PRELOAD; without HOWDAH_NODE_IP it does nothing.
 *
 * For TCP sockets, IPv4 and IPv6 alike:
 *  - bind to the wildcard address            -> the node's address. An IPv6-only wildcard goes to [::1] at any free port: nodes have no IPv6
 *                                               address, and programs that bind 0.0.0.0 and [::] side by side must not meet themselves.
 *  - bind to 127.0.0.1 or ::1, port given    -> the node's address, because a user expects each node to have a localhost:8888 of its own. Where
 *                                               the node already listens at that port, it stays at 127.0.0.1 as asked.
 *  - bind to 127.0.0.1 or ::1, any free port -> as asked: nothing can collide.
 *  - connect to 127.0.0.1, ::1 or a wildcard -> the node's address where something of the node listens there, else as asked, so that the control
 *                                               plane and other programs of the machine stay reachable as localhost.
 *  - connect to 169.254.169.254:80      -> the node's agent, which answers EC2's instance metadata (src/agent/metadata.ts).
 *  - connect to Howdah's range               -> comes from the node's address (the NameNode knows a DataNode by its peer address).
 * Names: ip-127-a-b-c, with or without a domain, resolves to 127.a.b.c, and `hostname -f` adds HOWDAH_NODE_DOMAIN; with HOWDAH_NODE_NAME set (no UTS namespace) gethostname answers it.
 *
 * Untouched: UDP, Unix sockets, setuid programs, and everything that makes system calls by itself - statically linked programs, most Go ones:
 * their wildcard listeners are on the whole machine and their connections come from 127.0.0.1.
 * Limit: a client that binds the wildcard by itself and then connects outside the machine cannot leave (its source is a loopback address).
 * Thread-safe: everything is set up in the constructor and only read afterwards; no allocation but for canonical names.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
enum { STATE_LISTEN = 10, METADATA_PORT = 8179 /* credentialsPort of src/agent/layout.ts */ };

static in_addr_t node; /* network order; 0: inert */
static char node_name[256], node_domain[256];
static int (*real_bind)(int, const struct sockaddr *, socklen_t);
static int (*real_connect)(int, const struct sockaddr *, socklen_t);
static int (*real_getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
static int (*real_getnameinfo)(const struct sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t, int);
static int (*real_gethostname)(char *, size_t);

static int in_range(in_addr_t a) { return (ntohl(a) & 0xffc00000u) == 0x7f400000u; }

__attribute__((constructor)) static void set_up(void) {
  if (real_bind) return;
  real_connect = dlsym(RTLD_NEXT, "connect");
  real_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
  real_getnameinfo = dlsym(RTLD_NEXT, "getnameinfo");
  real_gethostname = dlsym(RTLD_NEXT, "gethostname");
  const char *ip = getenv("HOWDAH_NODE_IP"), *name = getenv("HOWDAH_NODE_NAME"), *domain = getenv("HOWDAH_NODE_DOMAIN");
  struct in_addr a;
  if (ip && inet_aton(ip, &a) && in_range(a.s_addr)) node = a.s_addr;
  if (node && name && strlen(name) < sizeof node_name) strcpy(node_name, name);
  if (node && domain && strlen(domain) < sizeof node_domain) strcpy(node_domain, domain);
  real_bind = dlsym(RTLD_NEXT, "bind"); /* last: the others may call set_up before the constructor ran, and look at this one */
}

/* An address of either family, taken apart. `v4` is valid where the address is IPv4 or IPv4 written as IPv6. */
struct target {
  int is_v6, is_v4_form, any, localhost;
  in_addr_t v4;
  in_port_t port; /* network order */
};

static int take_apart(const struct sockaddr *sa, socklen_t len, struct target *t) {
  memset(t, 0, sizeof *t);
  if (!sa) return 0;
  if (len >= sizeof(struct sockaddr_in) && sa->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)sa;
    t->is_v4_form = 1, t->v4 = in->sin_addr.s_addr, t->port = in->sin_port;
  } else if (len >= sizeof(struct sockaddr_in6) && sa->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const void *)sa;
    t->is_v6 = 1, t->port = in6->sin6_port;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) t->is_v4_form = 1, memcpy(&t->v4, &in6->sin6_addr.s6_addr[12], 4);
    t->any = IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
    t->localhost = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
  } else {
    return 0;
  }
  if (t->is_v4_form) t->any = t->v4 == htonl(INADDR_ANY), t->localhost = t->v4 == htonl(INADDR_LOOPBACK);
  return 1;
}

/* The node's address in the family of the socket; returns its length. */
static socklen_t node_address(struct sockaddr_storage *out, int is_v6, in_port_t port) {
  memset(out, 0, sizeof *out);
  if (is_v6) {
    struct sockaddr_in6 *in6 = (void *)out;
    in6->sin6_family = AF_INET6, in6->sin6_port = port;
    in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
    memcpy(&in6->sin6_addr.s6_addr[12], &node, 4);
    return sizeof *in6;
  }
  struct sockaddr_in *in = (void *)out;
  in->sin_family = AF_INET, in->sin_port = port, in->sin_addr.s_addr = node;
  return sizeof *in;
}

static int is_stream(int fd) {
  int type = 0;
  socklen_t n = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
}

static int is_v6_only(int fd) {
  int only = 0;
  socklen_t n = sizeof only;
  return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &n) == 0 && only;
}

/* 1 or 0: does a socket listen at exactly node:port? Asks the kernel for that one socket; -1 where it cannot be asked. */
static int listens_by_diag(in_port_t port) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
  } ask;
  union {
    struct nlmsghdr header;
    char bytes[1024];
  } answer;
  int result = -1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return -1;
  struct timeval patience = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  memset(&ask, 0, sizeof ask);
  ask.header.nlmsg_len = sizeof ask, ask.header.nlmsg_type = SOCK_DIAG_BY_FAMILY, ask.header.nlmsg_flags = NLM_F_REQUEST;
  ask.body.sdiag_family = AF_INET, ask.body.sdiag_protocol = IPPROTO_TCP, ask.body.idiag_states = 1u << STATE_LISTEN;
  ask.body.id.idiag_sport = port, ask.body.id.idiag_src[0] = node;
  ask.body.id.idiag_cookie[0] = ask.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (send(fd, &ask, sizeof ask, 0) == (ssize_t)sizeof ask) {
    ssize_t got = recv(fd, &answer, sizeof answer, 0);
    if (got >= (ssize_t)(NLMSG_HDRLEN + sizeof(struct nlmsgerr)) && answer.header.nlmsg_type == NLMSG_ERROR) {
      const struct nlmsgerr *e = NLMSG_DATA(&answer.header);
      result = e->error == -ENOENT ? 0 : -1;
    } else if (got >= (ssize_t)(NLMSG_HDRLEN + sizeof(struct inet_diag_msg)) && answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
      /* A wildcard listener of another program answers too: it is not the node's. An IPv6 socket has the address in the last word. */
      const struct inet_diag_msg *m = NLMSG_DATA(&answer.header);
      in_addr_t at = m->idiag_family == AF_INET6 ? m->id.idiag_src[3] : m->id.idiag_src[0];
      result = m->idiag_state == STATE_LISTEN && at == node;
    }
  }
  close(fd);
  return result;
}

/* The same from one of /proc/net/tcp and tcp6, for kernels without socket diagnosis. */
static int listens_by_proc(const char *file, const char *line) {
  char buffer[4096 + 1];
  size_t kept = 0, keep = strlen(line);
  int found = 0, fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  for (ssize_t n; !found && (n = read(fd, buffer + kept, sizeof buffer - 1 - kept)) > 0;) {
    size_t have = kept + (size_t)n;
    buffer[have] = 0;
    found = strstr(buffer, line) != NULL;
    kept = have < keep ? have : keep; /* a line may be cut by the end of the buffer */
    memmove(buffer, buffer + have - kept, kept);
  }
  close(fd);
  return found;
}

static int node_listens(in_port_t port) {
  int saved = errno, result = listens_by_diag(port);
  if (result < 0) {
    char line[128];
    snprintf(line, sizeof line, " %08X:%04X 00000000:0000 0A", node, ntohs(port));
    result = listens_by_proc("/proc/net/tcp", line);
    snprintf(line, sizeof line, " 0000000000000000FFFF0000%08X:%04X %032d:0000 0A", node, ntohs(port), 0);
    if (!result) result = listens_by_proc("/proc/net/tcp6", line);
  }
  errno = saved;
  return result;
}

int bind(int fd, const struct sockaddr *sa, socklen_t len) {
  struct target t;
  struct sockaddr_storage own;
  if (!real_bind) set_up();
  if (!node || !take_apart(sa, len, &t) || !(t.any || (t.localhost && t.port)) || !is_stream(fd)) return real_bind(fd, sa, len);
  if (t.is_v6 && !t.is_v4_form && is_v6_only(fd)) {
    if (!t.any) return real_bind(fd, sa, len);
    struct sockaddr_in6 aside = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return real_bind(fd, (void *)&aside, sizeof aside);
  }
  socklen_t n = node_address(&own, t.is_v6, t.port);
  int result = real_bind(fd, (void *)&own, n);
  if (result && errno == EADDRINUSE && t.localhost) return real_bind(fd, sa, len);
  return result;
}

int connect(int fd, const struct sockaddr *sa, socklen_t len) {
  struct target t;
  struct sockaddr_storage own, to, from;
  if (!real_bind) set_up();
  if (!node || !take_apart(sa, len, &t) || !is_stream(fd)) return real_connect(fd, sa, len);
  if (t.any || t.localhost) {
    if (!node_listens(t.port)) return real_connect(fd, sa, len);
    len = node_address(&to, t.is_v6, t.port);
    sa = (void *)&to;
  } else if (t.is_v4_form && t.v4 == htonl(0xa9fea9fe) && t.port == htons(80)) {
    len = node_address(&to, t.is_v6, htons(METADATA_PORT));
    sa = (void *)&to;
  } else if (!t.is_v4_form || !in_range(t.v4)) {
    return real_connect(fd, sa, len);
  }
  int saved = errno, one = 1, zero = 0;
  socklen_t n = sizeof from;
  struct target local;
  /* Only a socket that has no address yet: IP_BIND_ADDRESS_NO_PORT leaves the choice of the port to connect, which can share it. */
  if (getsockname(fd, (void *)&from, &n) == 0 && take_apart((void *)&from, n, &local) && local.any && local.port == 0) {
    if (t.is_v6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    n = node_address(&own, t.is_v6, 0);
    real_bind(fd, (void *)&own, n); /* where it fails, the connection is still made, from 127.0.0.1 */
  }
  errno = saved;
  return real_connect(fd, sa, len);
}

/* ip-127-a-b-c, followed by nothing or a domain, in Howdah's range: writes 127.a.b.c. */
static int is_node_name(const char *name, char *address, size_t size) {
  unsigned a, b, c;
  int end = 0;
  if (sscanf(name, "ip-127-%3u-%3u-%3u%n", &a, &b, &c, &end) != 3 || !end || (name[end] && name[end] != '.')) return 0;
  if (a < 64 || a > 127 || b > 255 || c > 255) return 0;
  snprintf(address, size, "127.%u.%u.%u", a, b, c);
  return 1;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
  char address[INET_ADDRSTRLEN];
  if (!real_bind) set_up();
  if (!node || !name || !is_node_name(name, address, sizeof address)) return real_getaddrinfo(name, service, hints, out);
  int result = real_getaddrinfo(address, service, hints, out);
  if (result == 0 && *out && (*out)->ai_canonname) {
    int whole = strchr(name, '.') || !node_domain[0];
    char *canonical = malloc(strlen(name) + 1 + strlen(node_domain) + 1);
    if (!canonical) return result;
    sprintf(canonical, whole ? "%s" : "%s.%s", name, node_domain);
    free((*out)->ai_canonname), (*out)->ai_canonname = canonical;
  }
  return result;
}

/* Without a mount namespace the node has no /etc/hosts of its own: the name of a node follows from its address. */
int getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t hostlen, char *serv, socklen_t servlen, int flags) {
  struct target t;
  if (!real_bind) set_up();
  if (!node || !node_name[0] || !host || (flags & NI_NUMERICHOST) || !take_apart(sa, len, &t) || !t.is_v4_form || !in_range(t.v4))
    return real_getnameinfo(sa, len, host, hostlen, serv, servlen, flags);
  const char *domain = strchr(node_name, '.');
  unsigned a = ntohl(t.v4);
  int n = snprintf(host, hostlen, "ip-127-%u-%u-%u%s", a >> 16 & 255, a >> 8 & 255, a & 255, domain ? domain : "");
  if (n < 0 || (socklen_t)n >= hostlen) return EAI_OVERFLOW;
  return serv && servlen ? real_getnameinfo(sa, len, NULL, 0, serv, servlen, flags & ~NI_NAMEREQD) : 0;
}

int gethostname(char *out, size_t size) {
  if (!real_bind) set_up();
  if (!node_name[0]) return real_gethostname(out, size);
  if (strlen(node_name) >= size) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(out, node_name);
  return 0;
}
