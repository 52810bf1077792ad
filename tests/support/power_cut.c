/* Preloaded into a program, it keeps what a power cut would leave of the files in a folder.
 *
 * Of each file directly in $POWER_CUT_FROM, the content at its last fsync or fdatasync is kept in a
 * file of the same name in $POWER_CUT_TO. A file that is removed is removed there too: file systems
 * with a journal do not bring it back once something was synced after it. To cut the power, kill the program and put what is in the
 * second folder in place of what is in the first. A file with the name $POWER_CUT_LIES, if there is
 * one, keeps what it was first synced with: as if nobody synced it later.
 *
 * build: cc -shared -fPIC -O1 -o power_cut.so power_cut.c -lpthread
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The name of a file in the folder; NULL for others. */
static const char *name_of(const char *path) {
  const char *from = getenv("POWER_CUT_FROM");
  size_t folder = from ? strlen(from) : 0;
  if (!from || strncmp(path, from, folder) || path[folder] != '/') return NULL;
  return strchr(path + folder + 1, '/') ? NULL : path + folder + 1;
}

/* The file's own descriptor is read: closing another one of it would drop SQLite's locks. */
static void keep(int fd) {
  const char *to = getenv("POWER_CUT_TO"), *name;
  char link[64], path[PATH_MAX], kept[PATH_MAX], part[PATH_MAX], buffer[65536];
  if (!to) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  if (!(name = name_of(path))) return;
  const char *lies = getenv("POWER_CUT_LIES");
  pthread_mutex_lock(&lock);
  snprintf(kept, sizeof kept, "%s/%s", to, name);
  snprintf(part, sizeof part, "%s.part", kept);
  if (lies && !strcmp(lies, name) && !access(kept, F_OK)) {
    pthread_mutex_unlock(&lock);
    return;
  }
  int out = open(part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (out >= 0) {
    off_t at = 0;
    ssize_t count;
    while ((count = pread(fd, buffer, sizeof buffer, at)) > 0) {
      if (write(out, buffer, count) != count) abort();
      at += count;
    }
    close(out);
    /* Killed in between, it has either the one or the other. */
    if (rename(part, kept)) abort();
  }
  pthread_mutex_unlock(&lock);
}

int fsync(int fd) {
  keep(fd);
  return 0;
}

int fdatasync(int fd) {
  keep(fd);
  return 0;
}

int unlink(const char *path) {
  const char *to = getenv("POWER_CUT_TO"), *name = name_of(path);
  char kept[PATH_MAX];
  if (to && name) {
    snprintf(kept, sizeof kept, "%s/%s", to, name);
    pthread_mutex_lock(&lock);
    syscall(SYS_unlinkat, AT_FDCWD, kept, 0);
    pthread_mutex_unlock(&lock);
  }
  return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
