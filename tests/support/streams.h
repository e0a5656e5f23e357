// SPDX-License-Identifier: Apache-2.0
// Lists of streams for tests.
#ifndef CONADV_TESTS_SUPPORT_STREAMS_H_
#define CONADV_TESTS_SUPPORT_STREAMS_H_

#include "common/base/ids.h"
#include "common/job/streams.h"

namespace conadv {

// Their places in CleanAndAdversarial().
inline constexpr StreamIndex kCleanStream(0);
inline constexpr StreamIndex kAdversarialStream(1);

// As of VANILLA.
inline GradientStreams CleanStream() { return {{"clean", 1, Branch::kMain, StreamKind::kClean}}; }

// As of DISADV and CONADV.
inline GradientStreams CleanAndAdversarial() {
  return {{"clean", 1, Branch::kMain, StreamKind::kClean},
          {"adversarial", 1, Branch::kAuxiliary, StreamKind::kAdversarial}};
}

// Of no algorithm that there is: two of one branch, the attacked one between them.
inline GradientStreams ThreeStreams() {
  return {{"first", 1, Branch::kMain, StreamKind::kClean},
          {"second", 0.5F, Branch::kAuxiliary, StreamKind::kAdversarial},
          {"third", 0.25F, Branch::kMain, StreamKind::kClean}};
}

// As of FAST_ADVPROP.
inline GradientStreams CleanAttackAndAdversarial() {
  return {{"clean", 0.8F, Branch::kMain, StreamKind::kClean, 1},
          {"attack", 0.1F, Branch::kAuxiliary, StreamKind::kAttack, 0.5F},
          {"adversarial", 0.1F, Branch::kAuxiliary, StreamKind::kAdversarial, 0.5F}};
}

// As of FREE.
inline GradientStreams AdversarialStream() {
  return {{"adversarial", 1, Branch::kMain, StreamKind::kAdversarial}};
}

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_STREAMS_H_
