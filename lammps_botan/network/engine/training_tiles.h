// Tiles of edges of a training step: weights, sums of gradients, threads. For training.cpp alone.

#ifndef BOTAN_TRAINING_TILES_H
#define BOTAN_TRAINING_TILES_H

#include "botan_rows.h"

#include <algorithm>
#include <immintrin.h>
#include <memory>
#include <thread>
#include <vector>

#define EACH_TILE(a, n, first, last)                                                               \
  for (long a = first, n; n = std::min<long>(TILE, (last) - a), a < (last); a += TILE)

namespace {

constexpr int TILE = 48;          // edges worked on at a time; even, and a multiple of ROWS
constexpr int MOST_INPUTS = 8;    // of the encoder of edges

using Tile = Rows<Number, TILE>;
using Square = Rows<float, WIDTH>;
using Row = Rows<float, 1>;

// the gradient before a ReLU from the one after it
INLINE inline Vector where_positive(Vector value, Vector gradient)
{
  const Vector zero = {};
  return value > zero ? gradient : zero;
}

INLINE inline void add(float *to, Vector x)
{
  store(to, load(to) + x);
}

INLINE inline float total(Vector x)
{
  float sum = 0;
  for (int l = 0; l < LANES; l++) sum += x[l];
  return sum;
}

// for what is not needed again soon: a store into the cache would read the line first
INLINE inline void store_past_cache(Number *to, Vector x)
{
#if defined(__AVX512BF16__)
  _mm256_stream_si256(reinterpret_cast<__m256i *>(to), (__m256i) _mm512_cvtneps_pbh((__m512) x));
#elif defined(__AVX512F__)
  _mm512_stream_ps(to, (__m512) x);
#else
  _mm256_stream_ps(to, (__m256) x);
#endif
}

// before other threads read what went past the cache
INLINE inline void finish_stores()
{
  _mm_sfence();
}

// asks for the same row of the tile after this one
INLINE inline void fetch_next(const Number *from)
{
  __builtin_prefetch(from + TILE * WIDTH);
}

INLINE inline Vector zero(int, int)
{
  return Vector{};
}

#ifdef __AVX512BF16__

// rows 2 k and 2 k + 1 side by side
struct alignas(64) PairRows {
  Pair of[WIDTH / 2][WIDTH];
};

// of n rows, and zeros where the last one has no partner
void interleave(int n, const Number *x, PairRows &pairs)
{
  alignas(64) uint16_t index[2][32];
  for (int k = 0; k < 16; k++)
    for (int half = 0; half < 2; half++) {
      index[half][2 * k] = 16 * half + k;
      index[half][2 * k + 1] = 32 + 16 * half + k;
    }
  const __m512i low = _mm512_load_si512(index[0]), high = _mm512_load_si512(index[1]);
  for (int r = 0; r < n; r += 2)
    for (int half = 0; half < WIDTH; half += 32) {
      const Number *row = x + r * WIDTH + half;
      const __m512i even = _mm512_loadu_si512(row);
      const __m512i odd = r + 1 < n ? _mm512_loadu_si512(row + WIDTH) : _mm512_setzero_si512();
      Pair *to = &pairs.of[r / 2][half];
      _mm512_store_si512(to, _mm512_permutex2var_epi16(even, low, odd));
      _mm512_store_si512(to + LANES, _mm512_permutex2var_epi16(even, high, odd));
    }
}

#endif

enum class For { FORWARD, BACKWARD };    // x w^T, or g w

// a block of weights [outputs, inputs] with rows of `ld` numbers, in the order of `multiply`
class Weights {
 public:
  Weights(const float *w, long ld, For direction)
  {
    Square square;
    for (int k = 0; k < WIDTH; k++)
      for (int j = 0; j < WIDTH; j++)
        square.of[k][j] = direction == For::FORWARD ? w[j * ld + k] : w[k * ld + j];
#ifdef __AVX512BF16__
    Rows<Number, WIDTH> rounded;
    for (int k = 0; k < WIDTH; k++) EACH(j) store(&rounded.of[k][j], load(&square.of[k][j]));
    interleave(WIDTH, rounded, pairs);
#else
    for (int k = 0; k < WIDTH; k++)
      for (int j = 0; j < WIDTH; j++) panels[j / PANEL][k][j % PANEL] = square.of[k][j];
#endif
  }
#ifdef __AVX512BF16__
  operator BotanBlock() const { return {nullptr, pairs.of[0]}; }

 private:
  PairRows pairs;
#else
  operator BotanBlock() const { return {panels[0][0], nullptr}; }

 private:
  alignas(64) float panels[WIDTH / PANEL][WIDTH][PANEL];
#endif
};

template <int N_ROWS, class Term>
INLINE inline void add_outer_rows(int n, const Term *a, const Term *b, float *c)
{
  for (int column = 0; column < WIDTH; column += PANEL) {
    Vector sum[N_ROWS][VECTORS];
    UNROLL for (int r = 0; r < N_ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] =
        load(c + r * WIDTH + column + v * LANES);
    add_products<N_ROWS, 1, WIDTH, WIDTH>(n, a, b + column, sum);
    UNROLL for (int r = 0; r < N_ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++)
        store(c + r * WIDTH + column + v * LANES, sum[r][v]);
  }
}

template <class Term> void add_outer_terms(int n, const Term *a, const Term *b, Square &c)
{
  constexpr int FULL = WIDTH - WIDTH % ROWS;
  for (int r = 0; r < FULL; r += ROWS) add_outer_rows<ROWS>(n, a + r, b, c.of[r]);
  if constexpr (FULL < WIDTH) add_outer_rows<WIDTH - FULL>(n, a + FULL, b, c.of[FULL]);
}

// c += a^T b, summed over n rows
void add_outer(int n, const Number *a, const Number *b, Square &c)
{
#ifdef __AVX512BF16__
  PairRows left, right;
  interleave(n, a, left);
  interleave(n, b, right);
  add_outer_terms((n + 1) / 2, left.of[0], right.of[0], c);
#else
  add_outer_terms(n, a, b, c);
#endif
}

/* Calls work(thread, first, last) in all threads, each with its own edges; receivers are not split,
   so that nobody else writes their sums. */
template <class Work> void parallel(long n_threads, long n_edges, const int *center, Work work)
{
  std::vector<long> start(n_threads + 1);
  for (int t = 0; t <= n_threads; t++) {
    long edge = n_edges * t / n_threads;
    while (center && edge > 0 && edge < n_edges && center[edge] == center[edge - 1]) edge++;
    start[t] = edge;
  }
  std::vector<std::thread> others;
  for (int t = 1; t < n_threads; t++) others.emplace_back(work, t, start[t], start[t + 1]);
  work(0, start[0], start[1]);
  for (auto &other : others) other.join();
}

// what a thread adds up over its edges
struct Gradients {
  Square first, second;
  Row bias[3];
  Row inputs[MOST_INPUTS];
};

using PerThread = std::vector<std::unique_ptr<Gradients>>;

PerThread gradients(int n_threads)
{
  PerThread all(n_threads);
  for (auto &one : all) one = std::make_unique<Gradients>();    // zeros
  return all;
}

template <int N> void add_to(float *to, long ld, const Rows<float, N> &sums)
{
  for (int r = 0; r < N; r++)
    for (int j = 0; j < WIDTH; j++) to[r * ld + j] += sums.of[r][j];
}

// first layer of the encoder, from a few numbers in float32
class FirstLayer {
 public:
  FirstLayer(long inputs, const float *w, const float *b) : bias(b), inputs(inputs)
  {
    for (long d = 0; d < inputs; d++)
      for (int j = 0; j < WIDTH; j++) weight.of[d][j] = w[inputs * j + d];
  }
  void operator()(const float *given, int n, Number *hidden) const
  {
    for (int r = 0; r < n; r++) EACH(j)
      {
        Vector x = load(bias + j);
        for (long d = 0; d < inputs; d++) x += all(given[inputs * r + d]) * load(weight.of[d] + j);
        store(hidden + r * WIDTH + j, relu(x));
      }
  }

 private:
  Rows<float, MOST_INPUTS> weight;
  const float *bias;
  long inputs;
};

// to = relu(x w + bias), the bias last
void relu_layer(int n, const Number *x, BotanBlock w, const float *bias, Number *to)
{
  multiply_all(n, x, w, zero, [&](int r, int j, Vector sum) INLINE {
    store(to + r * WIDTH + j, relu(sum + load(bias + j)));
  });
}

}    // namespace

#endif
