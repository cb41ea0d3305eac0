// Work shared out among threads.

#ifndef BOTAN_THREADS_H
#define BOTAN_THREADS_H

#include <algorithm>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace Threads {

constexpr long SHARE = 256;    // rows that a thread is worth

// calls work(first, last) for each share start[t] .. start[t + 1], in threads
template <class Work> void parallel(const std::vector<long> &start, const Work &work)
{
  std::vector<std::thread> others;
  others.reserve(start.size());
  size_t t = 1;
  try {
    for (; t + 1 < start.size(); t++) others.emplace_back(work, start[t], start[t + 1]);
  } catch (const std::exception &) {
    // no more threads to be had: this one does the rest
    work(start[t], start.back());
  }
  work(start[0], start[1]);
  for (auto &other : others) other.join();
}

inline std::vector<long> shares(long n, long threads)
{
  threads = std::clamp(n / SHARE, 1L, std::max(threads, 1L));
  std::vector<long> start;
  for (long t = 0; t <= threads; t++) start.push_back(n * t / threads);
  return start;
}

// of nodes, with about as many edges for each thread
inline std::vector<long> shares(long n_local, const int64_t *first_edge, long threads)
{
  const int64_t n_edges = first_edge[n_local];
  threads = std::clamp(static_cast<long>(n_edges) / SHARE, 1L, std::max(threads, 1L));
  std::vector<long> start(1, 0);
  for (long t = 1; t < threads; t++)
    start.push_back(std::lower_bound(first_edge, first_edge + n_local, n_edges * t / threads) -
                    first_edge);
  start.push_back(n_local);
  return start;
}

}    // namespace Threads

#endif
