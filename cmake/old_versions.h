// Included before everything that is compiled. The linker takes the newest version of each symbol
// that the C library of the building machine has, and what it makes needs a C library as new. These
// symbols give the same since the first version, which every x86-64 Linux has; what has changed is
// where dlopen is, and how functions report a number that is out of range.

#if defined(__linux__) && defined(__x86_64__)
#include <features.h>
#ifdef __GLIBC__
__asm__(".symver dladdr, dladdr@GLIBC_2.2.5");
__asm__(".symver dlerror, dlerror@GLIBC_2.2.5");
__asm__(".symver dlopen, dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver exp, exp@GLIBC_2.2.5");
__asm__(".symver exp2, exp2@GLIBC_2.2.5");
__asm__(".symver hypot, hypot@GLIBC_2.2.5");
__asm__(".symver log, log@GLIBC_2.2.5");
__asm__(".symver log2, log2@GLIBC_2.2.5");
__asm__(".symver pow, pow@GLIBC_2.2.5");
#endif
#endif
