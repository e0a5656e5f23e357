// SPDX-License-Identifier: Apache-2.0
// A job's augmentation: what happens to each image of a unit of work. Immutable and thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_AUGMENTER_H_
#define CONADV_WORKER_DATA_AUGMENT_AUGMENTER_H_

#include <cstdint>
#include <vector>

#include "common/base/ids.h"
#include "common/job/augmentation.h"
#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

class Augmenter {
 public:
  // `steps` are done in their order.
  Augmenter(std::vector<AugmentationStep> steps, uint64_t seed);

  // Whether images stay as they are.
  bool empty() const { return steps_.empty(); }

  // Changes the image of the example at place `example` of the unit's slot. A function of the seed,
  // the unit and that place [I3]: whoever computes the unit, and however often, has the same bits.
  // `scratch` holds copies: one for each thread, kept from image to image.
  void Apply(Unit unit, uint32_t example, Planes image, std::vector<uint8_t>* scratch) const;

 private:
  const std::vector<AugmentationStep> steps_;
  const uint64_t seed_;
};

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_AUGMENTER_H_
