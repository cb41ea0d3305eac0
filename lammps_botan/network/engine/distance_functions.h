/* Sums of Gaussians of a distance, as polynomials.

   A function of the distance r is sum over k of w_k exp(-(r - R_k)^2 / 2 d_k^2), with several
   columns of w. It is smooth: in cells as narrow as a third of d, its Taylor series of
   DISTANCE_TERMS terms around their middle has errors below the rounding of a float, and costs less
   than one Gaussian.
*/

#ifndef BOTAN_DISTANCE_FUNCTIONS_H
#define BOTAN_DISTANCE_FUNCTIONS_H

#include "linear_kernels.h"

#include <vector>

class DistanceFunctions {
 public:
  struct Gaussian {
    double center, width;    // diameters
    const float *weights;    // of its columns
  };
  static constexpr double LEAST_WIDTH = 0.039;      // to which the cells are fit
  static constexpr long MOST_NUMBERS = 1L << 28;    // 1 GiB

  // of distances from 0 to `end` diameters; with 0 in further columns, to fill registers.
  // More than MOST_NUMBERS throw std::invalid_argument
  DistanceFunctions(double end, long functions, long columns, long all_columns);

  void add(const std::vector<Gaussian> &);    // the next function

  int cells() const { return n_cells; }
  long columns() const { return n_all_columns; }
  // [functions, cells, DISTANCE_TERMS, columns]: factors of the powers of the distance from the
  // middle of a cell, in cells
  const float *terms() const { return numbers.data(); }

 private:
  int n_cells;
  long n_columns, n_all_columns;
  std::vector<float> numbers;
};

#endif
