/* The edges of a training step of BOTAN on a CPU with AVX-512 and bfloat16 products.

   What torch does one operation at a time over all edges, each a pass through memory, is done here
   tile by tile in the cache, forward and backward. Products are those of vdpbf16ps: factors in
   bfloat16, sums in float32. Between the rounds the states of edges are bfloat16. The equations are
   those of lammps_botan/model.py; what acts on nodes stays in torch (__init__.py).

   Conventions of all functions: matrices are row-major; a weight is [outputs, inputs] as in torch,
   with a row stride `ld` where it is a block of a wider one; `center` ascends. Gradients of weights
   are added to, in the order of the threads, so that a step gives the same bits every time.
*/

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

using bf16 = uint16_t;
constexpr int WIDTH = 64;    // features
constexpr int TILE = 64;     // edges worked on at a time
constexpr int LANES = 16;    // floats in a register

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
  Row spatial[3];
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

// first layer of the encoder, from 3 numbers in float32
struct FirstLayer {
  Row weight[3];
  const float *bias;
  FirstLayer(const float *w, const float *b) : bias(b)
  {
    for (int d = 0; d < 3; d++)
      for (int j = 0; j < WIDTH; j++) weight[d].of[j] = w[3 * j + d];
  }
  void operator()(const float *vectors, long first, int n, Tile &hidden) const
  {
    for (int r = 0; r < n; r++) {
      const float *vector = vectors + 3 * (first + r);
      for (int j = 0; j < WIDTH; j += LANES) {
        __m512 x = load(bias + j);
        for (int d = 0; d < 3; d++)
          x = _mm512_fmadd_ps(_mm512_set1_ps(vector[d]), load(weight[d].of + j), x);
        store(&hidden.row[r][j], relu(x));
      }
    }
    pad(hidden, n);
  }
};

}    // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define EACH_TILE(a, n, first, last)                                                               \
  for (long a = first, n; n = std::min<long>(TILE, (last) - a), a < (last); a += TILE)
#define EACH(j) for (int j = 0; j < WIDTH; j += LANES)

// edge = h_e^0 and constant = its block of the first layer of MLP_e, with the bias
EXPORT void botan_encode(long n_threads, long n_edges, const float *vectors, const float *w1,
                         const float *b1, const float *w2, const float *b2, const float *w3,
                         long ld3, const float *b3, bf16 *edge, bf16 *constant)
{
  const FirstLayer layer(w1, b1);
  Pairs second, third;
  pack(w2, WIDTH, For::FORWARD, second);
  pack(w3, ld3, For::FORWARD, third);
  parallel(n_threads, n_edges, nullptr, [&](int, long begin, long end) {
    Tile hidden, state;
    Sums c;
    EACH_TILE(a, n, begin, end)
    {
      layer(vectors, a, n, hidden);
      product(&hidden.row[0][0], second, c);
      for (int r = 0; r < n; r++)
        EACH(j) store(&state.row[r][j], relu(_mm512_add_ps(load(c.row[r] + j), load(b2 + j))));
      pad(state, n);
      memcpy(edge + a * WIDTH, &state, n * sizeof state.row[0]);
      product(&state.row[0][0], third, c);
      for (int r = 0; r < n; r++) EACH(j)
      store(constant + (a + r) * WIDTH + j, _mm512_add_ps(load(c.row[r] + j), load(b3 + j)));
    }
  });
}

EXPORT void botan_encode_backward(long n_threads, long n_edges, const float *vectors,
                                  const float *w1, const float *b1, const float *w2,
                                  const float *w3, long ld3, const bf16 *edge, const bf16 *g_edge,
                                  const bf16 *g_constant, float *g_w1, float *g_b1, float *g_w2,
                                  float *g_b2, float *g_w3, float *g_b3)
{
  const FirstLayer layer(w1, b1);
  Pairs second, third;
  pack(w2, WIDTH, For::BACKWARD, second);
  pack(w3, ld3, For::BACKWARD, third);
  const PerThread sums = gradients(n_threads);
  parallel(n_threads, n_edges, nullptr, [&](int thread, long begin, long end) {
    Gradients &own = *sums[thread];
    Tile hidden, gradient, edge_buffer, constant_buffer;
    Pairs left, right;
    Sums c;
    EACH_TILE(a, n, begin, end)
    {
      const bf16 *state = tile_at(edge, a, n, edge_buffer);
      const bf16 *g_const = tile_at(g_constant, a, n, constant_buffer);
      product(g_const, third, c);
      interleave(g_const, left);
      interleave(state, right);
      add_outer(left, right, own.first);
      for (int r = 0; r < n; r++) EACH(j)
        {
          add(own.bias[0].of + j, load(g_const + r * WIDTH + j));
          const __m512 total =
              _mm512_add_ps(load(c.row[r] + j), load(g_edge + (a + r) * WIDTH + j));
          const __m512 x = where_positive(load(state + r * WIDTH + j), total);
          add(own.bias[1].of + j, x);
          store(&gradient.row[r][j], x);
        }
      pad(gradient, n);
      layer(vectors, a, n, hidden);
      interleave(&gradient.row[0][0], left);
      interleave(&hidden.row[0][0], right);
      add_outer(left, right, own.second);
      product(&gradient.row[0][0], second, c);
      for (int r = 0; r < n; r++) EACH(j)
        {
          const __m512 x = where_positive(load(&hidden.row[r][j]), load(c.row[r] + j));
          add(own.bias[2].of + j, x);
          for (int d = 0; d < 3; d++)
            add(own.spatial[d].of + j, _mm512_mul_ps(_mm512_set1_ps(vectors[3 * (a + r) + d]), x));
        }
    }
  });
  for (const auto &own : sums) {
    add_to(g_w3, ld3, own->first);
    add_to(g_w2, WIDTH, own->second);
    add_to(g_b3, own->bias[0]);
    add_to(g_b2, own->bias[1]);
    add_to(g_b1, own->bias[2]);
    for (int j = 0; j < WIDTH; j++)
      for (int d = 0; d < 3; d++) g_w1[3 * j + d] += own->spatial[d].of[j];
  }
}

// one round on the edges: hidden and next = h_e^m; received [n_nodes, WIDTH], zero before, their
// sums
EXPORT void botan_update(long n_threads, long n_edges, const int *center, const int *neighbor,
                         const bf16 *edge, const bf16 *constant, const float *from_neighbor,
                         const float *from_center, const float *w1, long ld1, const float *w2,
                         const float *b2, bf16 *hidden, bf16 *next, float *received)
{
  Pairs first, second;
  pack(w1, ld1, For::FORWARD, first);
  pack(w2, WIDTH, For::FORWARD, second);
  parallel(n_threads, n_edges, center, [&](int, long begin, long end) {
    Receiver receiver(received);
    Tile buffer;
    Sums c;
    EACH_TILE(a, n, begin, end)
    {
      product(tile_at(edge, a, n, buffer), first, c);
      for (int r = 0; r < n; r++) {
        const float *sent = from_neighbor + long(neighbor[a + r]) * WIDTH;
        const float *own = from_center + long(center[a + r]) * WIDTH;
        EACH(j)
        {
          const __m512 nodes = _mm512_add_ps(load(sent + j), load(own + j));
          const __m512 edges =
              _mm512_add_ps(load(c.row[r] + j), load(constant + (a + r) * WIDTH + j));
          store(hidden + (a + r) * WIDTH + j, relu(_mm512_add_ps(edges, nodes)));
        }
      }
      product(tile_at(hidden, a, n, buffer), second, c);
      for (int r = 0; r < n; r++) {
        receiver.next(center[a + r]);
        EACH(j)
        {
          const __m512 x = relu(_mm512_add_ps(load(c.row[r] + j), load(b2 + j)));
          receiver.add(j, x);
          store(next + (a + r) * WIDTH + j, x);
        }
      }
    }
  });
}

/* Backward of botan_update. g_next may be null (zeros) and may be g_edge. g_constant is set where
   `add_constant` is 0 and added to otherwise. g_neighbor [n_threads, n_nodes, WIDTH] and
   g_center [n_nodes, WIDTH] are zero before; the first is to be summed over the threads. */
EXPORT void botan_update_backward(long n_threads, long n_edges, long n_nodes, const int *center,
                                  const int *neighbor, const bf16 *edge, const bf16 *hidden,
                                  const bf16 *next, const float *g_received, const float *w1,
                                  long ld1, const float *w2, const bf16 *g_next, bf16 *g_edge,
                                  bf16 *g_constant, long add_constant, float *g_neighbor,
                                  float *g_center, float *g_w1, float *g_w2, float *g_b2)
{
  Pairs first, second;
  pack(w1, ld1, For::BACKWARD, first);
  pack(w2, WIDTH, For::BACKWARD, second);
  const PerThread sums = gradients(n_threads);
  parallel(n_threads, n_edges, center, [&](int thread, long begin, long end) {
    Gradients &own = *sums[thread];
    float *senders = g_neighbor + thread * n_nodes * WIDTH;
    Receiver receiver(g_center);
    Tile gradient, edge_buffer, hidden_buffer;
    Pairs left, right;
    Sums c;
    EACH_TILE(a, n, begin, end)
    {
      const bf16 *state = tile_at(edge, a, n, edge_buffer);
      const bf16 *between = tile_at(hidden, a, n, hidden_buffer);
      for (int r = 0; r < n; r++) EACH(j)
        {
          const long at = (a + r) * WIDTH + j;
          __m512 x = load(g_received + long(center[a + r]) * WIDTH + j);
          if (g_next) x = _mm512_add_ps(x, load(g_next + at));
          x = where_positive(load(next + at), x);
          add(own.bias[0].of + j, x);
          store(&gradient.row[r][j], x);
        }
      pad(gradient, n);
      interleave(&gradient.row[0][0], left);
      interleave(between, right);
      add_outer(left, right, own.second);
      product(&gradient.row[0][0], second, c);
      for (int r = 0; r < n; r++) {
        receiver.next(center[a + r]);
        float *sender = senders + long(neighbor[a + r]) * WIDTH;
        EACH(j)
        {
          const __m512 x = where_positive(load(between + r * WIDTH + j), load(c.row[r] + j));
          store(&gradient.row[r][j], x);
          receiver.add(j, x);
          add(sender + j, x);
          bf16 *constant = g_constant + (a + r) * WIDTH + j;
          store(constant, add_constant ? _mm512_add_ps(x, load(constant)) : x);
        }
      }
      interleave(&gradient.row[0][0], left);
      interleave(state, right);
      add_outer(left, right, own.first);
      product(&gradient.row[0][0], first, c);
      for (int r = 0; r < n; r++) EACH(j) store(g_edge + (a + r) * WIDTH + j, load(c.row[r] + j));
    }
  });
  for (const auto &own : sums) {
    add_to(g_w1, ld1, own->first);
    add_to(g_w2, WIDTH, own->second);
    add_to(g_b2, own->bias[0]);
  }
}

// output [n_edges] of the decoder
EXPORT void botan_decode(long n_threads, long n_edges, const bf16 *edge, const float *w1,
                         const float *b1, const float *w2, const float *b2, const float *w3,
                         const float *b3, float *output)
{
  Pairs first, second;
  pack(w1, WIDTH, For::FORWARD, first);
  pack(w2, WIDTH, For::FORWARD, second);
  parallel(n_threads, n_edges, nullptr, [&](int, long begin, long end) {
    Tile buffer, hidden;
    Sums c;
    EACH_TILE(a, n, begin, end)
    {
      product(tile_at(edge, a, n, buffer), first, c);
      for (int r = 0; r < n; r++)
        EACH(j) store(&hidden.row[r][j], relu(_mm512_add_ps(load(c.row[r] + j), load(b1 + j))));
      pad(hidden, n);
      product(&hidden.row[0][0], second, c);
      for (int r = 0; r < n; r++) {
        __m512 sum = _mm512_setzero_ps();
        EACH(j)
        {
          const __m512 x = relu(_mm512_add_ps(load(c.row[r] + j), load(b2 + j)));
          sum = _mm512_fmadd_ps(load(w3 + j), x, sum);
        }
        output[a + r] = *b3 + _mm512_reduce_add_ps(sum);
      }
    }
  });
}

EXPORT void botan_decode_backward(long n_threads, long n_edges, const bf16 *edge, const float *w1,
                                  const float *b1, const float *w2, const float *b2,
                                  const float *w3, const float *g_output, bf16 *g_edge, float *g_w1,
                                  float *g_b1, float *g_w2, float *g_b2, float *g_w3, float *g_b3)
{
  Pairs first, second, first_back, second_back;
  pack(w1, WIDTH, For::FORWARD, first);
  pack(w2, WIDTH, For::FORWARD, second);
  pack(w1, WIDTH, For::BACKWARD, first_back);
  pack(w2, WIDTH, For::BACKWARD, second_back);
  const PerThread sums = gradients(n_threads);
  std::vector<double> bias(n_threads);
  parallel(n_threads, n_edges, nullptr, [&](int thread, long begin, long end) {
    Gradients &own = *sums[thread];
    Tile buffer, hidden, gradient;
    Pairs left, right;
    Sums c;
    EACH_TILE(a, n, begin, end)
    {
      const bf16 *state = tile_at(edge, a, n, buffer);
      product(state, first, c);
      for (int r = 0; r < n; r++)
        EACH(j) store(&hidden.row[r][j], relu(_mm512_add_ps(load(c.row[r] + j), load(b1 + j))));
      pad(hidden, n);
      product(&hidden.row[0][0], second, c);
      for (int r = 0; r < n; r++) {
        const __m512 g = _mm512_set1_ps(g_output[a + r]);
        bias[thread] += g_output[a + r];
        EACH(j)
        {
          const __m512 value = relu(_mm512_add_ps(load(c.row[r] + j), load(b2 + j)));
          add(own.bias[2].of + j, _mm512_mul_ps(g, value));
          const __m512 x = where_positive(value, _mm512_mul_ps(g, load(w3 + j)));
          add(own.bias[1].of + j, x);
          store(&gradient.row[r][j], x);
        }
      }
      pad(gradient, n);
      interleave(&gradient.row[0][0], left);
      interleave(&hidden.row[0][0], right);
      add_outer(left, right, own.second);
      product(&gradient.row[0][0], second_back, c);
      for (int r = 0; r < n; r++) EACH(j)
        {
          const __m512 x = where_positive(load(&hidden.row[r][j]), load(c.row[r] + j));
          add(own.bias[0].of + j, x);
          store(&gradient.row[r][j], x);
        }
      interleave(&gradient.row[0][0], left);
      interleave(state, right);
      add_outer(left, right, own.first);
      product(&gradient.row[0][0], first_back, c);
      for (int r = 0; r < n; r++) EACH(j) store(g_edge + (a + r) * WIDTH + j, load(c.row[r] + j));
    }
  });
  for (int t = 0; t < n_threads; t++) {
    add_to(g_w1, WIDTH, sums[t]->first);
    add_to(g_w2, WIDTH, sums[t]->second);
    add_to(g_b1, sums[t]->bias[0]);
    add_to(g_b2, sums[t]->bias[1]);
    add_to(g_w3, sums[t]->bias[2]);
    *g_b3 += bias[t];
  }
}
