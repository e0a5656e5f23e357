// SPDX-License-Identifier: Apache-2.0
// Lists of streams for tests.
#ifndef CONADV_TESTS_SUPPORT_STREAMS_H_
#define CONADV_TESTS_SUPPORT_STREAMS_H_

#include "common/job/streams.h"

namespace conadv {

// As of VANILLA.
inline GradientStreams CleanStream() { return {{"clean", 1, Branch::kMain, false}}; }

// As of DISADV and CONADV.
inline GradientStreams CleanAndAdversarial() {
  return {{"clean", 1, Branch::kMain, false}, {"adversarial", 1, Branch::kAuxiliary, true}};
}

// Of no algorithm that there is: two of one branch, the attacked one between them.
inline GradientStreams ThreeStreams() {
  return {{"first", 1, Branch::kMain, false},
          {"second", 0.5F, Branch::kAuxiliary, true},
          {"third", 0.25F, Branch::kMain, false}};
}

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_STREAMS_H_
