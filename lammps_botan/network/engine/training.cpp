/* The edges of a training step of BOTAN on a CPU. CMakeLists.txt makes a library of this file for
   each set of instructions.

   What torch does one operation at a time over all edges, each a pass through memory, is done here
   tile by tile in the cache, forward and backward. The states of edges are Numbers: bfloat16 with
   AVX-512 BF16, where products have factors in bfloat16 and sums in float32; float32 elsewhere. The
   equations are those of lammps_botan/network/botan.py; what acts on nodes stays in torch
   (training.py), and so does what the encoder is given, `given` [n_edges, inputs].

   Conventions of all functions: matrices are row-major; a weight is [outputs, inputs] as in torch,
   with a row stride `ld` where it is a block of a wider one; `center` ascends. Gradients of weights
   are added to, in the order of the threads, so that a step gives the same bits every time.
*/

#include "training_tiles.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

// edge = h_e^0 and constant = its block of the first layer of MLP_e, with the bias
EXPORT void botan_encode(long n_threads, long n_edges, long inputs, const float *given,
                         const float *w1, const float *b1, const float *w2, const float *b2,
                         const float *w3, long ld3, const float *b3, Number *edge, Number *constant)
{
  const FirstLayer first(inputs, w1, b1);
  const Weights second(w2, WIDTH, For::FORWARD), third(w3, ld3, For::FORWARD);
  parallel(n_threads, n_edges, nullptr, [&](int, long begin, long end) {
    Tile hidden;
    EACH_TILE(a, n, begin, end)
    {
      Number *state = edge + a * WIDTH;
      first(given + inputs * a, n, hidden);
      relu_layer(n, hidden, second, b2, state);
      multiply_all(n, state, third, zero, [&](int r, int j, Vector sum) INLINE {
        store(constant + (a + r) * WIDTH + j, sum + load(b3 + j));
      });
    }
  });
}

EXPORT void botan_encode_backward(long n_threads, long n_edges, long inputs, const float *given,
                                  const float *w1, const float *b1, const float *w2,
                                  const float *w3, long ld3, const Number *edge,
                                  const Number *g_edge, const Number *g_constant, float *g_w1,
                                  float *g_b1, float *g_w2, float *g_b2, float *g_w3, float *g_b3)
{
  const FirstLayer first(inputs, w1, b1);
  const Weights second(w2, WIDTH, For::BACKWARD), third(w3, ld3, For::BACKWARD);
  const PerThread sums = gradients(n_threads);
  parallel(n_threads, n_edges, nullptr, [&](int thread, long begin, long end) {
    Gradients &own = *sums[thread];
    Tile hidden, gradient;
    EACH_TILE(a, n, begin, end)
    {
      const Number *state = edge + a * WIDTH, *g_const = g_constant + a * WIDTH;
      const Number *g_state = g_edge + a * WIDTH;
      const float *of_edges = given + inputs * a;
      add_outer(n, g_const, state, own.first);
      multiply_all(n, g_const, third, zero, [&](int r, int j, Vector sum) INLINE {
        const long at = r * WIDTH + j;
        const Vector x = where_positive(load(state + at), sum + load(g_state + at));
        add(own.bias[0] + j, load(g_const + at));
        add(own.bias[1] + j, x);
        store(gradient + at, x);
      });
      first(of_edges, n, hidden);
      add_outer(n, gradient, hidden, own.second);
      multiply_all(n, &gradient.of[0][0], second, zero, [&](int r, int j, Vector sum) INLINE {
        const Vector x = where_positive(load(&hidden.of[r][j]), sum);
        add(own.bias[2] + j, x);
        for (long d = 0; d < inputs; d++) add(own.inputs[d] + j, all(of_edges[inputs * r + d]) * x);
      });
    }
  });
  for (const auto &own : sums) {
    add_to(g_w3, ld3, own->first);
    add_to(g_w2, WIDTH, own->second);
    add_to(g_b3, WIDTH, own->bias[0]);
    add_to(g_b2, WIDTH, own->bias[1]);
    add_to(g_b1, WIDTH, own->bias[2]);
    for (int j = 0; j < WIDTH; j++)
      for (long d = 0; d < inputs; d++) g_w1[inputs * j + d] += own->inputs[d].of[0][j];
  }
}

// one round on the edges: hidden and next = h_e^m; received [n_nodes, WIDTH], zero before, their
// sums
EXPORT void botan_update(long n_threads, long n_edges, const int *center, const int *neighbor,
                         const Number *edge, const Number *constant, const float *from_neighbor,
                         const float *from_center, const float *w1, long ld1, const float *w2,
                         const float *b2, Number *hidden, Number *next, float *received)
{
  const Weights first(w1, ld1, For::FORWARD), second(w2, WIDTH, For::FORWARD);
  parallel(n_threads, n_edges, center, [&](int, long begin, long end) {
    Tile kept;
    EACH_TILE(a, n, begin, end)
    {
      const int *to = center + a, *from = neighbor + a;
      const Number *of_first = constant + a * WIDTH;
      Number *between = hidden + a * WIDTH, *after = next + a * WIDTH;
      const auto start = [&](int r, int j) INLINE {
        __builtin_prefetch(from_neighbor + long(from[r]) * WIDTH + j);
        return Vector{};
      };
      multiply_all(n, edge + a * WIDTH, first, start, [&](int r, int j, Vector sum) INLINE {
        const Vector nodes = load(from_neighbor + long(from[r]) * WIDTH + j) +
                             load(from_center + long(to[r]) * WIDTH + j);
        const Vector edges = sum + load(of_first + r * WIDTH + j);
        fetch_next(of_first + r * WIDTH + j);
        fetch_next(edge + (a + r) * WIDTH + j);
        const Vector x = relu(edges + nodes);
        store(&kept.of[r][j], x);
        store_past_cache(between + r * WIDTH + j, x);
      });
      multiply_all(n, &kept.of[0][0], second, zero, [&](int r, int j, Vector sum) INLINE {
        const Vector x = relu(sum + load(b2 + j));
        add(received + long(to[r]) * WIDTH + j, x);
        store_past_cache(after + r * WIDTH + j, x);
      });
    }
    finish_stores();
  });
}

/* Backward of botan_update. g_next may be null (zeros) and may be g_edge. g_constant is set where
   `add_constant` is 0 and added to otherwise. g_neighbor [n_threads, n_nodes, WIDTH] and
   g_center [n_nodes, WIDTH] are zero before; the first is to be summed over the threads. */
EXPORT void botan_update_backward(long n_threads, long n_edges, long n_nodes, const int *center,
                                  const int *neighbor, const Number *edge, const Number *hidden,
                                  const Number *next, const float *g_received, const float *w1,
                                  long ld1, const float *w2, const Number *g_next, Number *g_edge,
                                  Number *g_constant, long add_constant, float *g_neighbor,
                                  float *g_center, float *g_w1, float *g_w2, float *g_b2)
{
  const Weights first(w1, ld1, For::BACKWARD), second(w2, WIDTH, For::BACKWARD);
  const PerThread sums = gradients(n_threads);
  parallel(n_threads, n_edges, center, [&](int thread, long begin, long end) {
    Gradients &own = *sums[thread];
    float *senders = g_neighbor + thread * n_nodes * WIDTH;
    Tile gradient, g_hidden;
    EACH_TILE(a, n, begin, end)
    {
      const int *to = center + a, *from = neighbor + a;
      const Number *between = hidden + a * WIDTH;
      Number *g_first = g_constant + a * WIDTH, *g_before = g_edge + a * WIDTH;
      for (int r = 0; r < n; r++) EACH(j)
        {
          const long at = (a + r) * WIDTH + j;
          Vector x = load(g_received + long(to[r]) * WIDTH + j);
          if (g_next) x += load(g_next + at);
          x = where_positive(load(next + at), x);
          fetch_next(next + at);
          fetch_next(g_edge + at);
          add(own.bias[0] + j, x);
          store(&gradient.of[r][j], x);
        }
      add_outer(n, gradient, between, own.second);
      const auto start = [&](int r, int j) INLINE {
        __builtin_prefetch(senders + long(from[r]) * WIDTH + j);
        return Vector{};
      };
      multiply_all(n, &gradient.of[0][0], second, start, [&](int r, int j, Vector sum) INLINE {
        const long at = r * WIDTH + j;
        const Vector x = where_positive(load(between + at), sum);
        store(g_hidden + at, x);
        add(g_center + long(to[r]) * WIDTH + j, x);
        fetch_next(between + at);
        fetch_next(g_first + at);
        add(senders + long(from[r]) * WIDTH + j, x);
        store(g_first + at, add_constant ? x + load(g_first + at) : x);
      });
      add_outer(n, g_hidden, edge + a * WIDTH, own.first);
      multiply_all(n, &g_hidden.of[0][0], first, zero, [&](int r, int j, Vector sum) INLINE {
        fetch_next(edge + (a + r) * WIDTH + j);
        store(g_before + r * WIDTH + j, sum);
      });
    }
  });
  for (const auto &own : sums) {
    add_to(g_w1, ld1, own->first);
    add_to(g_w2, WIDTH, own->second);
    add_to(g_b2, WIDTH, own->bias[0]);
  }
}

// output [n_edges] of the decoder
EXPORT void botan_decode(long n_threads, long n_edges, const Number *edge, const float *w1,
                         const float *b1, const float *w2, const float *b2, const float *w3,
                         const float *b3, float *output)
{
  const Weights first(w1, WIDTH, For::FORWARD), second(w2, WIDTH, For::FORWARD);
  parallel(n_threads, n_edges, nullptr, [&](int, long begin, long end) {
    Tile hidden;
    Rows<float, TILE> last;
    EACH_TILE(a, n, begin, end)
    {
      relu_layer(n, edge + a * WIDTH, first, b1, hidden);
      multiply_all(n, &hidden.of[0][0], second, zero, [&](int r, int j, Vector sum) INLINE {
        store(&last.of[r][j], relu(sum + load(b2 + j)));
      });
      for (int r = 0; r < n; r++) {
        Vector sum = {};
        EACH(j) sum += load(w3 + j) * load(&last.of[r][j]);
        output[a + r] = *b3 + total(sum);
      }
    }
  });
}

EXPORT void botan_decode_backward(long n_threads, long n_edges, const Number *edge, const float *w1,
                                  const float *b1, const float *w2, const float *b2,
                                  const float *w3, const float *g_output, Number *g_edge,
                                  float *g_w1, float *g_b1, float *g_w2, float *g_b2, float *g_w3,
                                  float *g_b3)
{
  const Weights first(w1, WIDTH, For::FORWARD), second(w2, WIDTH, For::FORWARD);
  const Weights first_back(w1, WIDTH, For::BACKWARD), second_back(w2, WIDTH, For::BACKWARD);
  const PerThread sums = gradients(n_threads);
  std::vector<double> bias(n_threads);
  parallel(n_threads, n_edges, nullptr, [&](int thread, long begin, long end) {
    Gradients &own = *sums[thread];
    Tile hidden, gradient, g_hidden;
    EACH_TILE(a, n, begin, end)
    {
      const Number *state = edge + a * WIDTH;
      Number *g_state = g_edge + a * WIDTH;
      for (int r = 0; r < n; r++) bias[thread] += g_output[a + r];
      relu_layer(n, state, first, b1, hidden);
      multiply_all(n, &hidden.of[0][0], second, zero, [&](int r, int j, Vector sum) INLINE {
        const Vector g = all(g_output[a + r]), value = relu(sum + load(b2 + j));
        add(own.bias[2] + j, g * value);
        const Vector x = where_positive(value, g * load(w3 + j));
        add(own.bias[1] + j, x);
        store(&gradient.of[r][j], x);
      });
      add_outer(n, gradient, hidden, own.second);
      multiply_all(n, &gradient.of[0][0], second_back, zero, [&](int r, int j, Vector sum) INLINE {
        const Vector x = where_positive(load(&hidden.of[r][j]), sum);
        add(own.bias[0] + j, x);
        store(&g_hidden.of[r][j], x);
      });
      add_outer(n, g_hidden, state, own.first);
      multiply_all(n, &g_hidden.of[0][0], first_back, zero,
                   [&](int r, int j, Vector sum) INLINE { store(g_state + r * WIDTH + j, sum); });
    }
  });
  for (int t = 0; t < n_threads; t++) {
    add_to(g_w1, WIDTH, sums[t]->first);
    add_to(g_w2, WIDTH, sums[t]->second);
    add_to(g_b1, WIDTH, sums[t]->bias[0]);
    add_to(g_b2, WIDTH, sums[t]->bias[1]);
    add_to(g_w3, WIDTH, sums[t]->bias[2]);
    *g_b3 += bias[t];
  }
}
