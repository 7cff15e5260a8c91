/* A card's flush: every fsync and fdatasync takes SLOW_FLUSH_MS longer. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_for_card(void) {
  static long ms = -1;
  if (ms < 0) {
    const char *said = getenv("SLOW_FLUSH_MS");
    ms = said ? atol(said) : 0;
  }
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left)) {
  }
}

int fsync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  int done = real(file);
  wait_for_card();
  return done;
}

int fdatasync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  int done = real(file);
  wait_for_card();
  return done;
}
