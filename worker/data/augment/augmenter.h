// SPDX-License-Identifier: Apache-2.0
// A job's augmentation: what happens to each image of a unit of work. Immutable and thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_AUGMENTER_H_
#define CONADV_WORKER_DATA_AUGMENT_AUGMENTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/ids.h"
#include "common/base/random.h"
#include "common/job/augmentation.h"
#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

class Augmenter {
 public:
  // `steps` are done in their order. REQUIRES: those for every pass come first.
  Augmenter(std::vector<AugmentationStep> steps, uint64_t seed);

  // Whether images stay as they are.
  bool empty() const { return steps_.empty(); }

  // Changes the image of the example at place `example` of the unit's slot. A function of the seed,
  // the unit and that place [I3]: whoever computes the unit, and however often, has the same bits.
  // `scratch` holds copies: one for each thread, kept from image to image.
  void Apply(Unit unit, uint32_t example, Planes image, std::vector<uint8_t>* scratch) const;
  // The same for two: `image` gets the steps that are for every pass, and `augmented`, of its size
  // and whatever it holds, becomes what Apply makes of it.
  void ApplyApart(Unit unit, uint32_t example, Planes image, Planes augmented,
                  std::vector<uint8_t>* scratch) const;

 private:
  // Steps [begin, end).
  void Run(size_t begin, size_t end, Random* random, Planes image,
           std::vector<uint8_t>* scratch) const;

  const std::vector<AugmentationStep> steps_;
  const size_t shared_;  // so many of the first are for every pass
  const uint64_t seed_;
};

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_AUGMENTER_H_
