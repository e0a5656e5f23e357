// SPDX-License-Identifier: Apache-2.0
// What a worker trains, whatever computes it: the run, its tensors and what they begin as. The same
// in every process of a run, which the fingerprints in the plan prove. Immutable once made.
#ifndef CONADV_WORKER_MEMBER_TRAINING_SETUP_H_
#define CONADV_WORKER_MEMBER_TRAINING_SETUP_H_

#include <cstddef>
#include <memory>

#include "client/run/coordinator_client.h"
#include "common/plan/plan.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"

namespace conadv {

struct TrainingSetup {
  RunInfo run;
  std::shared_ptr<const Layout> layout;
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<const Arena> initial_weights;
  size_t image_bytes = 0;  // of an example, as it is loaded; 0: it takes no memory
};

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_TRAINING_SETUP_H_
