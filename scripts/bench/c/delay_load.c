// Open-loop load for something that delays: one thread, epoll. Messages of 64 bytes leave at even
// intervals on CONNECTIONS connections in turn, whether or not earlier ones were answered. Late is how
// much more than DELAY_MS passes between the write of a message and the read of the last byte of its echo.
// build: cc -O2 -o delay_load delay_load.c
// run:   ./delay_load PORT CONNECTIONS MESSAGES_PER_S DELAY_MS SECONDS
// prints: one JSON line {messages, late_min_us, late_p50_us, late_p99_us, late_max_us} of all but the
// first half second; exit 1 if a connection closed or an echo is missing.
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "load.h"

enum { SIZE = 64, PENDING = 256 };
typedef struct { int fd; unsigned sent, answered; long partial; double sent_at[PENDING]; } Peer;
static const double WARM_UP = 0.5, PATIENCE = 5;
static double lateness[1 << 20];
static long samples, outstanding;

static void fail(const char *what) { fprintf(stderr, "%s\n", what); exit(1); }
static void take(Peer *p, double delay, double counted_from) {
  char buffer[65536];
  long got = read(p->fd, buffer, sizeof buffer);
  if (got <= 0) fail("the connection was closed");
  double t = now();
  for (p->partial += got; p->partial >= SIZE; p->partial -= SIZE) {
    if (p->answered == p->sent) fail("more came back than was sent");
    double sent_at = p->sent_at[p->answered++ % PENDING];
    outstanding--;
    if (sent_at >= counted_from && samples < 1 << 20) lateness[samples++] = t - sent_at - delay;
  }
}
int main(int argc, char **argv) {
  if (argc != 6) { fprintf(stderr, "usage: %s PORT CONNECTIONS MESSAGES_PER_S DELAY_MS SECONDS\n", argv[0]); return 2; }
  int port = atoi(argv[1]), count = atoi(argv[2]), poll = epoll_create1(0);
  double interval = 1 / atof(argv[3]), delay = atof(argv[4]) / 1e3, seconds = atof(argv[5]);
  Peer *peers = calloc(count, sizeof *peers);
  char message[SIZE];
  memset(message, 'a', SIZE);
  // The kernel is told to wake this thread on time, not up to 50 microseconds later.
  prctl(PR_SET_TIMERSLACK, 1);
  for (int i = 0; i < count; i++) {
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &peers[i]};
    peers[i].fd = dial(port);
    epoll_ctl(poll, EPOLL_CTL_ADD, peers[i].fd, &e);
  }
  double begin = now() + 0.1, end = begin + WARM_UP + seconds;
  struct epoll_event ready[256];
  for (long k = 0; begin + k * interval < end || outstanding > 0;) {
    double due = begin + k * interval, t = now();
    if (due < end && t >= due) {
      Peer *p = &peers[k++ % count];
      if (p->sent - p->answered == PENDING) fail("too many messages are not answered");
      p->sent_at[p->sent++ % PENDING] = now();
      outstanding++;
      if (write(p->fd, message, SIZE) != SIZE) fail("a message could not be written");
      continue;
    }
    if (t > end + PATIENCE) fail("an echo is missing");
    double wait = due < end ? due - t : PATIENCE;
    struct timespec timeout = {.tv_sec = wait, .tv_nsec = (wait - (long)wait) * 1e9};
    int n = epoll_pwait2(poll, ready, 256, &timeout, 0);
    for (int i = 0; i < n; i++) take(ready[i].data.ptr, delay, begin + WARM_UP);
  }
  qsort(lateness, samples, sizeof *lateness, ascending);
  if (samples == 0) fail("nothing was measured");
  printf("{\"messages\": %ld, \"late_min_us\": %.0f, \"late_p50_us\": %.0f, \"late_p99_us\": %.0f, \"late_max_us\": %.0f}\n",
         samples, lateness[0] * 1e6, lateness[samples / 2] * 1e6, lateness[samples * 99 / 100] * 1e6,
         lateness[samples - 1] * 1e6);
}
