// SPDX-License-Identifier: Apache-2.0
// The windows of the Square attack (arXiv 1912.00049): how large, and of what. Pure functions.
#ifndef CONADV_WORKER_EVALUATE_SUITE_SQUARE_WINDOW_H_
#define CONADV_WORKER_EVALUATE_SUITE_SQUARE_WINDOW_H_

#include <cstdint>
#include <vector>

namespace conadv {

// The share of the image that the window of query `query` (1, 2, …) has: `first`, halved after 10,
// 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 queries (section 5, "hyperparameters").
double WindowShare(double first, int query);

// The side of a window with that share of height x width pixels, from `least` to the shorter of
// both.
int64_t WindowSide(double share, int64_t height, int64_t width, int64_t least);

// Of the L2 attack (section 3.3, eq. 3): two bumps, one of them upside down, with L2 norm 1. Shape:
// [side][side], row by row. REQUIRES: side ≥ 2.
std::vector<float> Bumps(int64_t side);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_SQUARE_WINDOW_H_
