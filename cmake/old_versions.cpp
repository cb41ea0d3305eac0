// What the headers of a newer compiler ask of the C and C++ libraries, and older ones do not have.
// Every library of ours has its own, which none else sees.

#include <new>

#ifdef __GLIBCXX__

// glibc 2.32: whether there is one thread, so that locks may be left out. Never
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}

// gcc 11
namespace std {
[[noreturn]] __attribute__((visibility("hidden"))) void __throw_bad_array_new_length()
{
  throw bad_array_new_length();
}
}    // namespace std

#endif
