#include "requests.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

// Sequentially consistent: either the watching thread sees what was noted, or the handler sees the thread.
static atomic_bool hangup, report, is_watched;
static pthread_t watcher;

// Its default is to be ignored, so a process that gets one by mistake goes on. It is never sent to the whole process.
static const int wakeup = SIGURG;

static atomic_bool *flag(int number) { return number == SIGHUP ? &hangup : &report; }

// Only calls that are async-signal-safe.
static void note(int number) {
    int before = errno;
    atomic_store(flag(number), true);
    if (atomic_load(&is_watched)) pthread_kill(watcher, wakeup);
    errno = before;
}

static void ignore(int number) { (void)number; }

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {0};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void mask(int how, int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(how, &set, NULL);
}

void requests_note(int number) {
    handle(number, note);
    mask(SIG_UNBLOCK, number);
}

void requests_release(int number) {
    handle(number, SIG_DFL);
    if (requests_take(number)) raise(number);
}

bool requests_take(int number) { return atomic_exchange(flag(number), false); }

int requests_watch(void) {
    // A handler of its own: an ignored signal is not kept for `sigwait` by every system.
    handle(wakeup, ignore);
    mask(SIG_BLOCK, wakeup);
    watcher = pthread_self();
    atomic_store(&is_watched, true);
    return wakeup;
}
