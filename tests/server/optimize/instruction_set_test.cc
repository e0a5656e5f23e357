// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "gtest/gtest.h"
#include "hwy/highway.h"
#include "hwy/targets.h"
#include "tests/server/optimize/shard_model.h"

namespace conadv {
namespace {

// Runs with one instruction set, and gives all of them back at the end.
class OnlyTarget {
 public:
  explicit OnlyTarget(int64_t target) { Choose(target); }
  ~OnlyTarget() { Choose(0); }

 private:
  static void Choose(int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

struct Result {
  Values weights;
  double norm;
};

Result Train(OptimizerOptions options, int64_t target) {
  const OnlyTarget only(target);
  options.clip_norm = 8;
  ShardModel model(EveryTensor(), 1, options);
  double norm = 0;
  for (uint32_t step = 0; step < 5; ++step) {
    norm += model.Apply(RandomGradients(model.tensors(), step))[0].norm[0];
  }
  return {model.weights(), norm};
}

TEST(InstructionSetTest, BitsAreTheSameForEveryOne) {
  const std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  for (const auto& [name, options] : EveryRule()) {
    const Result first = Train(options, targets.front());
    for (const int64_t target : targets) {
      SCOPED_TRACE(name + std::string(" on ") + hwy::TargetName(target));
      const Result result = Train(options, target);
      EXPECT_EQ(first.weights, result.weights);
      EXPECT_EQ(first.norm, result.norm);
    }
  }
}

}  // namespace
}  // namespace conadv
