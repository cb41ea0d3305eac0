// Included before everything that is compiled. The linker takes the newest version of each symbol
// that the C library of the building machine has, and what it makes needs a C library as new. These
// symbols have done the same since the first version, which every x86-64 Linux has.

#if defined(__linux__) && defined(__x86_64__)
#include <features.h>
#ifdef __GLIBC__
__asm__(".symver dladdr, dladdr@GLIBC_2.2.5");
__asm__(".symver dlerror, dlerror@GLIBC_2.2.5");
__asm__(".symver dlopen, dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver hypot, hypot@GLIBC_2.2.5");
#endif
#endif
