// SPDX-License-Identifier: Apache-2.0
// What a pass tells while it goes on, so that its gradients can leave before it ends. On the lane's
// thread.
#ifndef CONADV_WORKER_COMPUTE_PASS_PROGRESS_H_
#define CONADV_WORKER_COMPUTE_PASS_PROGRESS_H_

#include <cstddef>

namespace conadv {

class PassProgress {
 public:
  virtual ~PassProgress() = default;
  // The slot's mean loss, and the fraction that is right; once, before the first OnTensor.
  virtual void OnMeasures(float loss, float accuracy) = 0;
  // A tensor's gradient, or its statistic, is in the arena, with its padding, and is not written
  // any more. By the layout's list, in any order, each once. The pass's end says it of all others.
  virtual void OnTensor(size_t placement) = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_PASS_PROGRESS_H_
