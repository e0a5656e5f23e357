// SPDX-License-Identifier: Apache-2.0
// Parts of a batch. Pure functions.
#ifndef CONADV_WORKER_EVALUATE_SUITE_SELECTION_H_
#define CONADV_WORKER_EVALUATE_SUITE_SELECTION_H_

#include <torch/torch.h>

#include <vector>

#include "worker/evaluate/suite/victims.h"

namespace conadv {

// The numbers of those that `mask`, [n] of bool, has; where the mask lies. [k], int64.
inline torch::Tensor RowsOf(const torch::Tensor& mask) { return mask.nonzero().view({-1}); }

inline Victims Select(const Victims& victims, const torch::Tensor& rows) {
  Victims some;
  some.images = victims.images.index_select(0, rows);
  some.labels = victims.labels.index_select(0, rows);
  const torch::Tensor on_host = rows.cpu();
  const auto* numbers = on_host.data_ptr<int64_t>();
  some.indices.reserve(static_cast<size_t>(on_host.numel()));
  for (int64_t i = 0; i < on_host.numel(); ++i) {
    some.indices.push_back(victims.indices[static_cast<size_t>(numbers[i])]);
  }
  return some;
}

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_SELECTION_H_
