/* A wall clock that a test may set and speed up while the program runs. Clocks that cannot jump are left alone.

   BELLWETHER_TEST_CLOCK names a file that holds three doubles: since, ahead, rate. A moment m is told as
   since + ahead + (m - since) * rate. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile double *told(void) {
    static const volatile double *page;
    if (!page) {
        const char *path = getenv("BELLWETHER_TEST_CLOCK");
        int file = path ? open(path, O_RDONLY) : -1;
        void *found = file < 0 ? MAP_FAILED : mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
        if (found == MAP_FAILED) abort();
        close(file);
        page = found;
    }
    return page;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, which, now);
    if (failed || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE)) return failed;
    const volatile double *clock = told();
    double since = clock[0], ahead = clock[1], rate = clock[2];
    /* Differences from `since` are small, so that a double holds them to the nanosecond. */
    double passed = (double)(now->tv_sec - (time_t)since) + now->tv_nsec / 1e9;
    double moved = passed * rate + ahead;
    time_t whole = (time_t)moved - (moved < (double)(time_t)moved);
    now->tv_sec = (time_t)since + whole;
    now->tv_nsec = (long)((moved - (double)whole) * 1e9);
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return (time_t)-1;
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
