// SPDX-License-Identifier: Apache-2.0
// Whether the loss gets worse instead of better: a run whose gradients are finite may still be
// lost. Pure state; not thread-safe.
#ifndef CONADV_SERVER_RECORD_DIVERGENCE_H_
#define CONADV_SERVER_RECORD_DIVERGENCE_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"

namespace conadv {

class Divergence {
 public:
  // The mean loss of an update.
  void Add(double loss) {
    ++updates_;
    mean_ += (loss - mean_) / static_cast<double>(std::min(updates_, kMemory));
    if (updates_ >= kMemory) best_ = updates_ == kMemory ? mean_ : std::min(best_, mean_);
  }
  // Empty while there is nothing to say.
  std::string warning() const {
    // Near 0 a multiple means little.
    if (updates_ < kMemory || mean_ <= kTimes * best_ || mean_ - best_ < kLeast) return "";
    return absl::StrFormat(
        "the loss has risen from %.3g to %.3g (means over %d updates): a lower schedule.peak or a "
        "longer schedule.warmup may help",
        best_, mean_, kMemory);
  }

 private:
  static constexpr uint64_t kMemory = 32;  // updates
  static constexpr double kTimes = 2;
  static constexpr double kLeast = 0.5;

  uint64_t updates_ = 0;
  double mean_ = 0;
  double best_ = 0;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_DIVERGENCE_H_
