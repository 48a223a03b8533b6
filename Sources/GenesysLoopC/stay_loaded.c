/* Keeps the library in memory after it was loaded.
 *
 * A Swift image cannot be unloaded: the runtime keeps pointers to its types and conformances, and a thread that
 * looks up a name may still be in it. So dlclose removes nothing, and a later dlopen finds the same image.
 * Scripts/install-c passes the equivalent linker flag (-z nodelete). Package.swift cannot: a package with linker
 * flags is refused as a dependency. */
#define _GNU_SOURCE
#include <dlfcn.h>

static const char here;

__attribute__((constructor)) static void stay_loaded(void) {
    Dl_info image;
    if (dladdr(&here, &image)) dlopen(image.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
