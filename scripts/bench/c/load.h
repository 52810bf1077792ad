// What the load generators share: the clock, an order for sorting, connecting, and the frames of a broker.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

// Seconds from some moment on.
static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
// For qsort, of doubles.
static inline int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
// Connects to a port of this machine, without Nagle's delay; ends the program if that fails.
static inline int dial(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (void *)&a, sizeof a)) { perror("connect"); exit(1); }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}
// Writes a frame with an op and a topic; returns its size.
static inline long frame(char *out, const char *op, const char *topic, const char *body, int size) {
  int n = sprintf(out + 2, "{\"byteorder\":\"little\",\"content-type\":\"application/octet-stream\","
                  "\"content-encoding\":\"binary\",\"content-length\":%d,\"op\":\"%s\",\"topic\":\"%s\"}", size, op, topic);
  out[0] = n >> 8;
  out[1] = n & 255;
  memcpy(out + 2 + n, body, size);
  return 2 + n + size;
}
