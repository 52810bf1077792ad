// Reference relay: one thread, epoll, blocking writes, no splice. Each client gets a connection to the
// upstream; bytes are copied both ways, and the end of one side ends both.
// build: cc -O2 -o relay_ref relay_ref.c      run: ./relay_ref PORT UPSTREAM_PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int peers[1 << 16];

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}
static void watch(int poll, int fd) {
  int one = 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}
int main(int argc, char **argv) {
  if (argc != 3) { fprintf(stderr, "usage: %s PORT UPSTREAM_PORT\n", argv[0]); return 2; }
  // A client that leaves while it is written to ends its connection, not this program.
  signal(SIGPIPE, SIG_IGN);
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = loopback(atoi(argv[1])), upstream = loopback(atoi(argv[2]));
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) { perror("listen"); return 1; }
  int poll = epoll_create1(0);
  watch(poll, listener);
  char *buffer = malloc(65536);
  struct epoll_event ready[256];
  for (;;) {
    int count = epoll_wait(poll, ready, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = ready[i].data.fd;
      if (fd == listener) {
        int client = accept(listener, 0, 0), server = socket(AF_INET, SOCK_STREAM, 0);
        if (client < 0 || connect(server, (void *)&upstream, sizeof upstream)) { close(client); close(server); continue; }
        peers[client] = server;
        peers[server] = client;
        watch(poll, client);
        watch(poll, server);
        continue;
      }
      // Its peer may have ended both in this round.
      if (!peers[fd]) continue;
      // What was ready may be of a connection that ended in this round, and gave its number to this one.
      long got = recv(fd, buffer, 65536, MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) continue;
      for (long sent = 0; sent < got;) {
        long n = write(peers[fd], buffer + sent, got - sent);
        if (n <= 0) { got = 0; break; }
        sent += n;
      }
      if (got > 0) continue;
      int peer = peers[fd];
      peers[fd] = peers[peer] = 0;
      close(fd);
      close(peer);
    }
  }
}
