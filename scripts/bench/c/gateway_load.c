// Publish/subscribe load on several brokers that serve the same topics: one thread, epoll.
// build: cc -O2 -o gateway_load gateway_load.c
// run:   ./gateway_load PUBLISHING SUBSCRIBING SUBSCRIBERS PAYLOAD COUNT WINDOW [TOPICS]
//   PUBLISHING   ports of brokers, with commas: a publisher at each
//   SUBSCRIBING  ports of brokers, with commas: SUBSCRIBERS at each
//   COUNT        messages of all publishers together
//   WINDOW       so many of them may be on their way to the slowest of those who get them
//   TOPICS       one (default): all publish and subscribe to "bench". own: those of the first port of
//                either list to "bench.0", of the second to "bench.1", and so on
// prints: one JSON line {published_per_s, delivered_per_s}.
// A broker hands on what came from another one with the same fields in another order. So all
// deliveries have one size: a subscriber learns it from its first one, and counts bytes from there on.
// What has another header is no delivery: that publications were lost, or left out because the subscriber
// was too slow. They never come, so it ends, and prints the header.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "load.h"

enum { MAX_PORTS = 16, BATCH = 512 };
typedef struct { int fd, subscriber, topic; long size, received, sent, due, offset, head_bytes; unsigned char head[2]; } Peer;

static int ports_of(char *list, int *ports) {
  int count = 0;
  for (char *each = strtok(list, ","); each && count < MAX_PORTS; each = strtok(NULL, ",")) ports[count++] = atoi(each);
  return count;
}
static void watch(int poll, Peer *peer, int operation, int events) {
  struct epoll_event e = {.events = events, .data.ptr = peer};
  epoll_ctl(poll, operation, peer->fd, &e);
}
// Frames begin at every multiple of the size: each has the head of the first one.
static void look(Peer *p, int subscriber, const char *buffer, long got) {
  for (long at = (p->size - p->received % p->size) % p->size; at + 1 < got; at += p->size) {
    if (!memcmp(buffer + at, p->head, 2)) continue;
    long bytes = (unsigned char)buffer[at] * 256 + (unsigned char)buffer[at + 1], rest = got - at - 2;
    fprintf(stderr, "subscriber %d gets no delivery, but: %.*s\n", subscriber, (int)(bytes < rest ? bytes : rest), buffer + at + 2);
    exit(1);
  }
}
int main(int argc, char **argv) {
  if (argc < 7) { fprintf(stderr, "usage: %s PUBLISHING SUBSCRIBING SUBSCRIBERS PAYLOAD COUNT WINDOW [TOPICS]\n", argv[0]); return 2; }
  int from[MAX_PORTS], to[MAX_PORTS], publishers = ports_of(argv[1], from), brokers = ports_of(argv[2], to);
  int subscribers = brokers * atoi(argv[3]), size = atoi(argv[4]), own = argc > 7 && !strcmp(argv[7], "own");
  long each = atol(argv[5]) / publishers, window = atol(argv[6]), total = each * publishers;
  char *body = calloc(1, size + 1), *buffer = malloc(1 << 20), *batches[MAX_PORTS], topic[32];
  long frame_bytes[MAX_PORTS];
  for (int i = 0; i < publishers; i++) {
    sprintf(topic, own ? "bench.%d" : "bench", i);
    batches[i] = malloc(BATCH * (long)(size + 256));
    frame_bytes[i] = 0;
    for (int k = 0; k < BATCH; k++) frame_bytes[i] += frame(batches[i] + frame_bytes[i], "pub", topic, body, size);
    frame_bytes[i] /= BATCH;
  }
  int poll = epoll_create1(0), count = publishers + subscribers;
  Peer *peers = calloc(count, sizeof *peers), *subs = peers + publishers;
  for (int i = 0; i < subscribers; i++) {
    Peer *p = &subs[i];
    p->topic = own ? i % brokers : 0;
    p->subscriber = 1;
    p->due = own ? (p->topic < publishers ? each : 0) : total;
    p->fd = dial(to[i % brokers]);
    sprintf(topic, own ? "bench.%d" : "bench", p->topic);
    long bytes = frame(buffer, "sub", topic, "", 0);
    bytes += frame(buffer + bytes, "ping", topic, "", 0);
    if (write(p->fd, buffer, bytes) != bytes) { perror("subscribe"); return 1; }
  }
  // The subscriptions are in force once the pings behind them are answered.
  for (int i = 0; i < subscribers; i++) {
    for (long got = 0; !memmem(buffer, got, "\"pong\"", 6);) {
      long n = read(subs[i].fd, buffer + got, (1 << 20) - got);
      if (n <= 0) { fprintf(stderr, "a broker closed a subscriber\n"); return 1; }
      got += n;
    }
    fcntl(subs[i].fd, F_SETFL, O_NONBLOCK);
    watch(poll, &subs[i], EPOLL_CTL_ADD, EPOLLIN);
  }
  for (int i = 0; i < publishers; i++) {
    peers[i].topic = own ? i : 0;
    peers[i].due = each;
    peers[i].fd = dial(from[i]);
    fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
    watch(poll, &peers[i], EPOLL_CTL_ADD, EPOLLIN);
  }
  double start = now(), last = start;
  struct epoll_event ready[256];
  for (int full = 0;;) {
    // What a publisher may send: as much as the slowest of its subscribers has got, and a window.
    int finished = 1;
    full = 0;
    for (int t = 0; t < (own ? publishers : 1); t++) {
      long slowest = own ? each : total, sent = 0;
      for (int i = 0; i < subscribers; i++) {
        if (subs[i].topic != t) continue;
        long got = subs[i].size ? subs[i].received / subs[i].size : 0;
        if (got < slowest) slowest = got;
      }
      if (slowest < (own ? each : total)) finished = 0;
      for (int i = 0; i < publishers; i++) if (peers[i].topic == t) sent += peers[i].sent;
      for (int i = 0; i < publishers; i++) {
        Peer *p = &peers[i];
        if (p->topic != t) continue;
        // By halves of a window, as clients do that write what they have gathered.
        long room = slowest + window - sent;
        if (room < window / 2 && room < p->due - p->sent && !p->offset) continue;
        while ((room > 0 || p->offset) && p->sent < p->due) {
          long some = BATCH;
          if (p->due - p->sent < some) some = p->due - p->sent;
          if (room < some && !p->offset) some = room;
          long bytes = frame_bytes[i] * some - p->offset, n = write(p->fd, batches[i] + p->offset, bytes);
          if (n < 0 && errno != EAGAIN) { perror("publish"); return 1; }
          if (n < 0) { full = 1; break; }
          long done = p->offset + n;
          p->offset = done % frame_bytes[i];
          long whole = done / frame_bytes[i];
          // The rest of a message that was cut is sent from the batch's first one: all are equal.
          p->sent += whole;
          sent += whole;
          room -= whole;
          if (n < bytes) { full = 1; break; }
        }
        watch(poll, p, EPOLL_CTL_MOD, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
      }
    }
    if (finished) break;
    int n = epoll_wait(poll, ready, 256, 1000);
    if (n == 0 && now() - last > 30) {
      for (int i = 0; i < subscribers; i++) {
        Peer *p = &subs[i];
        long got = p->size ? p->received / p->size : 0;
        if (got < p->due) fprintf(stderr, "nothing more comes: subscriber %d has %ld of %ld messages\n", i, got, p->due);
      }
      for (int i = 0; i < publishers; i++) fprintf(stderr, "publisher %d has sent %ld of %ld\n", i, peers[i].sent, peers[i].due);
      return 1;
    }
    for (int i = 0; i < n; i++) {
      Peer *p = ready[i].data.ptr;
      if (!(ready[i].events & EPOLLIN)) continue;
      long got = read(p->fd, buffer, 1 << 20);
      if (got == 0) { fprintf(stderr, "a broker closed a %s\n", p->subscriber ? "subscriber" : "publisher"); return 1; }
      if (!p->subscriber || got < 0) continue;
      last = now();
      for (long at = 0; p->head_bytes < 2 && at < got; at++) p->head[p->head_bytes++] = buffer[at];
      if (p->head_bytes == 2) p->size = 2 + p->head[0] * 256 + p->head[1] + size;
      if (p->size) look(p, p - subs, buffer, got);
      p->received += got;
    }
  }
  double elapsed = now() - start;
  long deliveries = 0;
  for (int i = 0; i < subscribers; i++) deliveries += subs[i].due;
  printf("{\"published_per_s\": %.0f, \"delivered_per_s\": %.0f}\n", total / elapsed, deliveries / elapsed);
  return 0;
}
