// Rows of edges in tiles, on processors with AVX-512 BF16: products, sums over receivers, threads.
// For training.cpp alone.

#ifndef BOTAN_TRAINING_TILES_H
#define BOTAN_TRAINING_TILES_H

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#define EACH_TILE(a, n, first, last)                                                               \
  for (long a = first, n; n = std::min<long>(TILE, (last) - a), a < (last); a += TILE)
#define EACH(j) for (int j = 0; j < WIDTH; j += LANES)

namespace {

using bf16 = uint16_t;
constexpr int WIDTH = 64;         // features
constexpr int TILE = 64;          // edges worked on at a time
constexpr int LANES = 16;         // floats in a register
constexpr int MOST_INPUTS = 8;    // of the encoder of edges

struct alignas(64) Tile {
  bf16 row[TILE][WIDTH];
};
struct alignas(64) Sums {
  float row[TILE][WIDTH];
};
// two rows interleaved, as the product wants its second factor
struct alignas(64) Pairs {
  uint32_t row[TILE / 2][WIDTH];
};
struct alignas(64) Row {
  float of[WIDTH];
};

__m512 load(const float *from)
{
  return _mm512_loadu_ps(from);
}

__m512 load(const bf16 *from)
{
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

void store(float *to, __m512 x)
{
  _mm512_storeu_ps(to, x);
}

void store(bf16 *to, __m512 x)
{
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), (__m256i) _mm512_cvtneps_pbh(x));
}

// NaN, which max returns as its second operand only, stays NaN
__m512 relu(__m512 x)
{
  return _mm512_max_ps(_mm512_setzero_ps(), x);
}

// the gradient before a ReLU from the one after it
__m512 where_positive(__m512 value, __m512 gradient)
{
  const __mmask16 positive = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_GT_OQ);
  return _mm512_maskz_mov_ps(positive, gradient);
}

void add(float *to, __m512 x)
{
  store(to, _mm512_add_ps(load(to), x));
}

/* Four rows of c: c(row, :) = or += sum over k of a(row, k) b(k, :), k counting pairs. */
template <int ROW_STRIDE, int PAIR_STRIDE, bool ADD>
void multiply(const uint32_t *a, const Pairs &b, float *c)
{
  __m512 sum[4][4];
  for (int r = 0; r < 4; r++)
    for (int j = 0; j < 4; j++)
      sum[r][j] = ADD ? load(c + r * WIDTH + j * LANES) : _mm512_setzero_ps();
  for (int k = 0; k < WIDTH / 2; k++) {
    __m512bh right[4];
    for (int j = 0; j < 4; j++) right[j] = (__m512bh) _mm512_load_si512(&b.row[k][j * LANES]);
    for (int r = 0; r < 4; r++) {
      const auto left = (__m512bh) _mm512_set1_epi32(a[r * ROW_STRIDE + k * PAIR_STRIDE]);
      for (int j = 0; j < 4; j++) sum[r][j] = _mm512_dpbf16_ps(sum[r][j], left, right[j]);
    }
  }
  for (int r = 0; r < 4; r++)
    for (int j = 0; j < 4; j++) store(c + r * WIDTH + j * LANES, sum[r][j]);
}

// c = x w for the rows of a tile
void product(const bf16 *x, const Pairs &w, Sums &c)
{
  const auto *pairs = reinterpret_cast<const uint32_t *>(x);
  for (int r = 0; r < TILE; r += 4)
    multiply<WIDTH / 2, 1, false>(pairs + r * WIDTH / 2, w, c.row[r]);
}

// c += a^T b, summed over the rows of a tile
void add_outer(const Pairs &a, const Pairs &b, Sums &c)
{
  for (int r = 0; r < WIDTH; r += 4) multiply<1, WIDTH, true>(&a.row[0][r], b, c.row[r]);
}

struct Interleaving {
  __m512i low, high;
  Interleaving()
  {
    alignas(64) uint16_t from[2][32];
    for (int k = 0; k < 16; k++)
      for (int half = 0; half < 2; half++) {
        from[half][2 * k] = 16 * half + k;
        from[half][2 * k + 1] = 32 + 16 * half + k;
      }
    low = _mm512_load_si512(from[0]);
    high = _mm512_load_si512(from[1]);
  }
};

void interleave(const bf16 *x, Pairs &pairs)
{
  const Interleaving index;
  for (int r = 0; r < TILE; r += 2)
    for (int half = 0; half < WIDTH; half += 32) {
      const __m512i even = _mm512_loadu_si512(x + r * WIDTH + half);
      const __m512i odd = _mm512_loadu_si512(x + (r + 1) * WIDTH + half);
      uint32_t *to = &pairs.row[r / 2][half];
      _mm512_store_si512(to, _mm512_permutex2var_epi16(even, index.low, odd));
      _mm512_store_si512(to + LANES, _mm512_permutex2var_epi16(even, index.high, odd));
    }
}

enum class For { FORWARD, BACKWARD };    // x w^T, or g w

void pack(const float *w, long ld, For direction, Pairs &pairs)
{
  Tile rounded;
  for (int k = 0; k < WIDTH; k++)
    for (int j = 0; j < WIDTH; j += LANES) {
      alignas(64) float line[LANES];
      for (int l = 0; l < LANES; l++)
        line[l] = direction == For::FORWARD ? w[(j + l) * ld + k] : w[k * ld + j + l];
      store(&rounded.row[k][j], load(line));
    }
  interleave(&rounded.row[0][0], pairs);
}

// a tile of rows, padded with zeros in `buffer` where the last one is short
const bf16 *tile_at(const bf16 *rows, long first, int n, Tile &buffer)
{
  if (n == TILE) return rows + first * WIDTH;
  memset(&buffer, 0, sizeof buffer);
  memcpy(&buffer, rows + first * WIDTH, n * sizeof buffer.row[0]);
  return &buffer.row[0][0];
}

void pad(Tile &tile, int n)
{
  memset(tile.row[n], 0, (TILE - n) * sizeof tile.row[0]);
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
  Sums first, second;
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

void add_to(float *to, long ld, const Sums &sums)
{
  for (int r = 0; r < WIDTH; r++)
    for (int j = 0; j < WIDTH; j++) to[r * ld + j] += sums.row[r][j];
}

void add_to(float *to, const Row &row)
{
  for (int j = 0; j < WIDTH; j++) to[j] += row.of[j];
}

// sums over the edges of each receiver in turn
class Receiver {
 public:
  Receiver(float *sums) : sums(sums) {}
  ~Receiver() { finish(); }
  void next(int center)
  {
    if (center == current) return;
    finish();
    current = center;
  }
  void add(int j, __m512 x) { ::add(sum.of + j, x); }

 private:
  float *sums;
  int current = -1;
  Row sum = {};
  void finish()
  {
    if (current >= 0) memcpy(sums + long(current) * WIDTH, sum.of, sizeof sum.of);
    sum = {};
  }
};

// first layer of the encoder, from a few numbers in float32
struct FirstLayer {
  Row weight[MOST_INPUTS];
  const float *bias;
  long inputs;
  FirstLayer(long inputs, const float *w, const float *b) : bias(b), inputs(inputs)
  {
    for (long d = 0; d < inputs; d++)
      for (int j = 0; j < WIDTH; j++) weight[d].of[j] = w[inputs * j + d];
  }
  void operator()(const float *given, long first, int n, Tile &hidden) const
  {
    for (int r = 0; r < n; r++) {
      const float *own = given + inputs * (first + r);
      for (int j = 0; j < WIDTH; j += LANES) {
        __m512 x = load(bias + j);
        for (long d = 0; d < inputs; d++)
          x = _mm512_fmadd_ps(_mm512_set1_ps(own[d]), load(weight[d].of + j), x);
        store(&hidden.row[r][j], relu(x));
      }
    }
    pad(hidden, n);
  }
};

// hidden = relu(x w + bias), n rows and zeros below
void relu_layer(const bf16 *x, const Pairs &w, const float *bias, int n, Tile &hidden)
{
  Sums c;
  product(x, w, c);
  for (int r = 0; r < n; r++)
    EACH(j) store(&hidden.row[r][j], relu(_mm512_add_ps(load(c.row[r] + j), load(bias + j))));
  pad(hidden, n);
}

}    // namespace

#endif
