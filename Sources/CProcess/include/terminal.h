#ifndef GENESYS_LOOP_TERMINAL_H
#define GENESYS_LOOP_TERMINAL_H

#include <stdbool.h>

/// Remembers how the terminal is set. From now on a signal that ends the process sets it so before: a prompt that hides
/// its input must not leave a terminal that shows none.
///
/// Returns false without a terminal; then nothing has changed.
bool terminal_guard(void);

/// The prompt is over: the signals have the effect again that they had before.
void terminal_release(void);

#endif
