#ifndef GENESYS_LOOP_REQUESTS_H
#define GENESYS_LOOP_REQUESTS_H

#include <stdbool.h>

// The signals that request something. `terminal.h` is about those that end the process while it asks for a secret.

/// Handles SIGHUP or SIGUSR1 from now on, on any thread: it is noted, and the thread of `requests_watch` is woken up.
///
/// No thread of the process blocks them: Swift's backtracer stops all threads with SIGUSR1, and waits for each.
void requests_note(int number);

/// Gives the signal its default effect again, which one that was noted has now.
void requests_release(int number);

/// Whether the signal was noted since the last call.
bool requests_take(int number);

/// Makes the calling thread the one that is woken up: by a signal that only this thread gets, which is blocked from now
/// on.
///
/// Returns the number of that signal, for `sigwait`.
int requests_watch(void);

#endif
