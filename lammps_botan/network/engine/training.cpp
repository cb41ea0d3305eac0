/* The edges of a training step of BOTAN on a CPU with AVX-512 and bfloat16 products.

   What torch does one operation at a time over all edges, each a pass through memory, is done here
   tile by tile in the cache, forward and backward. Products are those of vdpbf16ps: factors in
   bfloat16, sums in float32. Between the rounds the states of edges are bfloat16. The equations are
   those of lammps_botan/network/botan.py; what acts on nodes stays in torch (training.py), and so
   does what the encoder is given, `given` [n_edges, inputs].

   Conventions of all functions: matrices are row-major; a weight is [outputs, inputs] as in torch,
   with a row stride `ld` where it is a block of a wider one; `center` ascends. Gradients of weights
   are added to, in the order of the threads, so that a step gives the same bits every time.
*/

#include "training_tiles.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

// edge = h_e^0 and constant = its block of the first layer of MLP_e, with the bias
EXPORT void botan_encode(long n_threads, long n_edges, long inputs, const float *given,
                         const float *w1, const float *b1, const float *w2, const float *b2,
                         const float *w3, long ld3, const float *b3, bf16 *edge, bf16 *constant)
{
  const FirstLayer layer(inputs, w1, b1);
  Pairs second, third;
  pack(w2, WIDTH, For::FORWARD, second);
  pack(w3, ld3, For::FORWARD, third);
  parallel(n_threads, n_edges, nullptr, [&](int, long begin, long end) {
    Tile hidden, state;
    Sums c;
    EACH_TILE(a, n, begin, end)
    {
      layer(given, a, n, hidden);
      relu_layer(&hidden.row[0][0], second, b2, n, state);
      memcpy(edge + a * WIDTH, &state, n * sizeof state.row[0]);
      product(&state.row[0][0], third, c);
      for (int r = 0; r < n; r++) EACH(j)
      store(constant + (a + r) * WIDTH + j, _mm512_add_ps(load(c.row[r] + j), load(b3 + j)));
    }
  });
}

EXPORT void botan_encode_backward(long n_threads, long n_edges, long inputs, const float *given,
                                  const float *w1, const float *b1, const float *w2,
                                  const float *w3, long ld3, const bf16 *edge, const bf16 *g_edge,
                                  const bf16 *g_constant, float *g_w1, float *g_b1, float *g_w2,
                                  float *g_b2, float *g_w3, float *g_b3)
{
  const FirstLayer layer(inputs, w1, b1);
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
      layer(given, a, n, hidden);
      interleave(&gradient.row[0][0], left);
      interleave(&hidden.row[0][0], right);
      add_outer(left, right, own.second);
      product(&gradient.row[0][0], second, c);
      for (int r = 0; r < n; r++) EACH(j)
        {
          const __m512 x = where_positive(load(&hidden.row[r][j]), load(c.row[r] + j));
          add(own.bias[2].of + j, x);
          for (long d = 0; d < inputs; d++)
            add(own.inputs[d].of + j,
                _mm512_mul_ps(_mm512_set1_ps(given[inputs * (a + r) + d]), x));
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
      for (long d = 0; d < inputs; d++) g_w1[inputs * j + d] += own->inputs[d].of[j];
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
      relu_layer(tile_at(edge, a, n, buffer), first, b1, n, hidden);
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
      relu_layer(state, first, b1, n, hidden);
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
