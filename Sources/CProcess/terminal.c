#include "terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

static const int ends[] = {SIGINT, SIGQUIT, SIGTERM};
enum { END_COUNT = sizeof ends / sizeof *ends };

static struct sigaction actions[END_COUNT];
static struct termios settings;
static int terminal = -1;

// Only calls that are async-signal-safe. The handler is reset, so the signal ends the process when this returns.
static void restore(int number) {
    tcsetattr(terminal, TCSANOW, &settings);
    raise(number);
}

bool terminal_guard(void) {
    terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) return false;
    if (tcgetattr(terminal, &settings) != 0) {
        close(terminal);
        return false;
    }
    struct sigaction action = {0};
    action.sa_handler = restore;
    action.sa_flags = SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    for (size_t index = 0; index < END_COUNT; index++) {
        sigaction(ends[index], NULL, &actions[index]);
        // One that is ignored, or handled by the host, does not end the process.
        if (actions[index].sa_handler == SIG_DFL) sigaction(ends[index], &action, NULL);
    }
    return true;
}

void terminal_release(void) {
    for (size_t index = 0; index < END_COUNT; index++) sigaction(ends[index], &actions[index], NULL);
    close(terminal);
}
