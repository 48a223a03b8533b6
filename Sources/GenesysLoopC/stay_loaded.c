/* Keeps the library in memory once it was loaded.
 *
 * A Swift image cannot be unloaded: the run time keeps pointers to its types and conformances, and a thread that looks
 * up a name may still be in it. So dlclose takes nothing away, and a later dlopen finds what is there.
 * Scripts/install-c says the same to the linker (-z nodelete). Package.swift cannot: a package with flags for the
 * linker is refused as a dependency. */
#define _GNU_SOURCE
#include <dlfcn.h>

static const char here;

__attribute__((constructor)) static void stay_loaded(void) {
    Dl_info image;
    if (dladdr(&here, &image)) dlopen(image.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
