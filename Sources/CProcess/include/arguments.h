#ifndef GENESYS_LOOP_ARGUMENTS_H
#define GENESYS_LOOP_ARGUMENTS_H

/// The number of arguments that `main` gets, the program's name among them; 0 where the C library does not tell.
int arguments_count(void);

/// Argument `index`, as `main` gets it; it lives as long as the process.
const char *arguments_value(int index);

#endif
