// SPDX-License-Identifier: Apache-2.0
#include "common/job/streams.h"

namespace conadv {

GradientStreams StreamsOf(const TrainingOptions& training) {
  GradientStreams streams = {{"clean", training.clean_weight, Branch::kMain, false}};
  if (training.attacks()) {
    streams.push_back({"adversarial", training.adversarial_weight, Branch::kAuxiliary, true});
  }
  return streams;
}

}  // namespace conadv
