// Request/response load generator: one thread, epoll, closed loop. Each connection sends DEPTH
// copies of the request at once, waits until DEPTH responses of RESPONSE_BYTES each came back,
// and sends again. Against an echo server RESPONSE_BYTES is the size of the request.
// build: cc -O2 -o request_load request_load.c
// run:   ./request_load PORT CONNECTIONS DEPTH SECONDS RESPONSE_BYTES < REQUEST
// prints: one JSON line {messages_per_s, p50_us, p99_us}; exit 1 if the server closed a
// connection or sent more than it was due.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "load.h"

typedef struct { int fd; long unsent, due; double started; } Peer;
static char request[65536], *batch, *buffer;
static long batch_bytes, due_bytes, samples;
static double latencies[1 << 22];

static void watch(int poll, Peer *p, int op) {
  struct epoll_event e = {.events = EPOLLIN | (p->unsent ? EPOLLOUT : 0), .data.ptr = p};
  epoll_ctl(poll, op, p->fd, &e);
}
static void send_some(int poll, Peer *p) {
  long before = p->unsent, n = write(p->fd, batch + batch_bytes - p->unsent, p->unsent);
  if (n > 0) p->unsent -= n;
  if (p->unsent || before != batch_bytes) watch(poll, p, EPOLL_CTL_MOD);
}
int main(int argc, char **argv) {
  if (argc != 6) { fprintf(stderr, "usage: %s PORT CONNECTIONS DEPTH SECONDS RESPONSE_BYTES < REQUEST\n", argv[0]); return 2; }
  int port = atoi(argv[1]), count = atoi(argv[2]), depth = atoi(argv[3]);
  double seconds = atof(argv[4]);
  long size = read(0, request, sizeof request), rounds = 0;
  if (size <= 0) { fprintf(stderr, "no request on standard input\n"); return 2; }
  batch_bytes = size * depth;
  due_bytes = atol(argv[5]) * depth;
  batch = malloc(batch_bytes);
  for (int i = 0; i < depth; i++) memcpy(batch + i * size, request, size);
  buffer = malloc(1 << 20);
  Peer *peers = calloc(count, sizeof *peers);
  int poll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    peers[i].fd = dial(port);
    fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
    watch(poll, &peers[i], EPOLL_CTL_ADD);
  }
  double start = now();
  for (int i = 0; i < count; i++) {
    peers[i].unsent = batch_bytes;
    peers[i].due = due_bytes;
    peers[i].started = now();
    send_some(poll, &peers[i]);
  }
  struct epoll_event ready[256];
  while (now() - start < seconds) {
    int n = epoll_wait(poll, ready, 256, 100);
    for (int i = 0; i < n; i++) {
      Peer *p = ready[i].data.ptr;
      if ((ready[i].events & EPOLLOUT) && p->unsent) send_some(poll, p);
      if (!(ready[i].events & EPOLLIN)) continue;
      long got = read(p->fd, buffer, 1 << 20);
      if (got == 0) { fprintf(stderr, "the server closed a connection\n"); return 1; }
      if (got < 0) { if (errno == EAGAIN) continue; perror("read"); return 1; }
      p->due -= got;
      if (p->due < 0) { fprintf(stderr, "the server sent %ld bytes more than it was due\n", -p->due); return 1; }
      if (p->due > 0 || p->unsent) continue;
      double t = now();
      rounds++;
      if (samples < 1 << 22) latencies[samples++] = t - p->started;
      p->started = t;
      p->unsent = batch_bytes;
      p->due = due_bytes;
      send_some(poll, p);
    }
  }
  double elapsed = now() - start;
  qsort(latencies, samples, sizeof *latencies, ascending);
  printf("{\"messages_per_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n", rounds * (double)depth / elapsed,
         samples ? latencies[samples / 2] * 1e6 : 0, samples ? latencies[samples * 99 / 100] * 1e6 : 0);
}
