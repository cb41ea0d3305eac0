// Memory of the states of a graph.

#ifndef BOTAN_MEMORY_H
#define BOTAN_MEMORY_H

#include <cstdlib>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

// memory that is not touched before it is used, kept for the next scoring
template <class T> class Memory {
 public:
  T *at_least(size_t n)
  {
    if (n > size) {
      release();
      const size_t unit = n * sizeof(T) < HUGE_PAGE ? LINE : HUGE_PAGE;
      const size_t bytes = (n * sizeof(T) + unit - 1) / unit * unit;
      numbers.reset(static_cast<T *>(std::aligned_alloc(unit, bytes)));
      if (!numbers) throw std::bad_alloc();
#ifdef __linux__
      if (unit == HUGE_PAGE) madvise(numbers.get(), bytes, MADV_HUGEPAGE);    // or in small ones
#endif
      size = n;
    }
    return numbers.get();
  }
  double bytes() const { return static_cast<double>(size * sizeof(T)); }
  void release()
  {
    numbers.reset();
    size = 0;
  }

 private:
  static constexpr size_t LINE = 64, HUGE_PAGE = 2 << 20;    // bytes
  struct Free {
    void operator()(T *pointer) const { std::free(pointer); }
  };
  std::unique_ptr<T[], Free> numbers;
  size_t size = 0;
};

#endif
