// SPDX-License-Identifier: Apache-2.0
#include "worker/model/replica.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/worker/model/replicas.h"

namespace conadv {
namespace {

class ReplicaTest : public testing::Test {
 protected:
  explicit ReplicaTest(bool mixture = true)
      : factory_(SmallFactory("mlp")),
        network_(factory_()),
        layout_(LayoutOf(*network_, mixture, 2)),
        weights_(InitialWeights(*network_, *layout_)) {}

  Replica Make(Pass pass) { return Replica(factory_(), layout_, pass, &TestDevice()); }
  torch::Tensor At(Arena& arena, const std::string& name) { return InArena(*layout_, arena, name); }
  // One training pass, whose gradients and statistics land in the result.
  std::shared_ptr<Arena> Train(Replica& replica, const Examples& examples) {
    auto gradients = Filled(layout_->total_size(), kUntouched);
    replica.BindGradients(gradients);
    replica.Forward(examples.images).square().sum().backward();
    replica.FinishGradients();
    return gradients;
  }
  // What BatchNorm's first layer sees.
  torch::Tensor BeforeFirstNorm(const torch::Tensor& images) {
    return ((images - 0.25) / 0.5).flatten(1).matmul(At(*weights_, "linear1.weight").t());
  }

  static constexpr float kUntouched = 123;
  const NetworkFactory factory_;
  const std::unique_ptr<Network> network_;
  const std::shared_ptr<const Layout> layout_;
  const std::shared_ptr<Arena> weights_;
  const Examples examples_ = RandomExamples(16);
};

class SharedReplicaTest : public ReplicaTest {
 protected:
  SharedReplicaTest() : ReplicaTest(false) {}
};

TEST_F(ReplicaTest, ReplicasOfOneArenaShareItsStorage) {
  Replica first = Make(Pass::kEvaluate);
  Replica second = Make(Pass::kClean);
  first.BindWeights(weights_);
  second.BindWeights(weights_);
  torch::NoGradGuard no_grad;
  const torch::Tensor before = first.Forward(examples_.images);
  At(*weights_, "classify.bias") += 1;
  EXPECT_TRUE(torch::allclose(first.Forward(examples_.images), before + 1));
  second.BindGradients(Filled(layout_->total_size(), 0));
  const torch::Tensor trained = second.Forward(examples_.images);
  At(*weights_, "classify.bias") += 1;
  EXPECT_TRUE(torch::allclose(second.Forward(examples_.images), trained + 1));
}

TEST_F(ReplicaTest, OnTheCpuNothingIsCopied) {
  for (const Pass pass : {Pass::kClean, Pass::kAdversarial, Pass::kAttack, Pass::kEvaluate}) {
    auto network = factory_();
    const std::vector<NetworkTensor> tensors = network->tensors();  // handles of the network's own
    Replica replica(std::move(network), layout_, pass, &TestDevice());
    replica.BindWeights(weights_);
    const bool trains = pass == Pass::kClean || pass == Pass::kAdversarial;
    const auto gradients = Filled(layout_->total_size(), 0);
    if (trains) replica.BindGradients(gradients);
    const bool auxiliary = pass == Pass::kAdversarial || pass == Pass::kAttack;
    for (const NetworkTensor& tensor : tensors) {
      const std::string name = auxiliary && tensor.batch_norm
                                   ? BranchName(tensor.name, Branch::kAuxiliary)
                                   : tensor.name;
      Arena& place = trains && tensor.statistic ? *gradients : *weights_;
      EXPECT_EQ(tensor.tensor.data_ptr(), At(place, name).data_ptr()) << name;
      if (trains && !tensor.statistic) {
        EXPECT_EQ(tensor.tensor.grad().data_ptr(), At(*gradients, name).data_ptr()) << name;
      }
    }
    if (!trains) continue;
    replica.Forward(examples_.images).square().sum().backward();
    for (const NetworkTensor& tensor : tensors) {
      if (tensor.statistic) continue;
      const std::string name = auxiliary && tensor.batch_norm
                                   ? BranchName(tensor.name, Branch::kAuxiliary)
                                   : tensor.name;
      EXPECT_EQ(tensor.tensor.grad().data_ptr(), At(*gradients, name).data_ptr()) << name;
    }
    replica.FinishGradients();
  }
}

TEST_F(ReplicaTest, NewWeightsReplaceOldAndOldOnesComeBackToTheSameBits) {
  auto other = Copy(*weights_);
  At(*other, "linear2.weight").mul_(-1);
  Replica replica = Make(Pass::kEvaluate);
  torch::NoGradGuard no_grad;
  replica.BindWeights(weights_);
  const torch::Tensor before = replica.Forward(examples_.images);
  replica.BindWeights(other);
  EXPECT_FALSE(SameBits(replica.Forward(examples_.images), before));
  replica.BindWeights(weights_);
  EXPECT_TRUE(SameBits(replica.Forward(examples_.images), before));
}

TEST_F(ReplicaTest, KeepsItsWeightsAliveUntilTheNextOnesCome) {
  Replica replica = Make(Pass::kClean);
  auto first = Copy(*weights_);
  const std::weak_ptr<Arena> watch = first;
  replica.BindWeights(std::move(first));
  EXPECT_FALSE(watch.expired());
  Train(replica, examples_);
  replica.BindWeights(weights_);
  EXPECT_TRUE(watch.expired());
}

TEST_F(ReplicaTest, LetsGoOfTheGradientsWhenTheyAreFinished) {
  Replica replica = Make(Pass::kAdversarial);
  replica.BindWeights(weights_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Train(replica, examples_).use_count(), 1);
}

TEST_F(ReplicaTest, BatchStatisticsAreThoseOfTheBatch) {
  Replica replica = Make(Pass::kClean);
  replica.BindWeights(weights_);
  const auto gradients = Train(replica, examples_);
  const torch::Tensor seen = BeforeFirstNorm(examples_.images);
  EXPECT_TRUE(torch::allclose(At(*gradients, "norm1.running_mean"), seen.mean(0), 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(At(*gradients, "norm1.running_var"), seen.var(0, /*unbiased=*/true),
                              1e-4, 1e-5));
}

TEST_F(ReplicaTest, EachPassWritesItsOwnBranchAndLeavesTheOtherAlone) {
  for (const Pass pass : {Pass::kClean, Pass::kAdversarial}) {
    Replica replica = Make(pass);
    replica.BindWeights(weights_);
    const auto gradients = Train(replica, examples_);
    const Branch other = pass == Pass::kClean ? Branch::kAuxiliary : Branch::kMain;
    for (const Placement& placement : layout_->placements()) {
      const torch::Tensor values = At(*gradients, placement.tensor.name);
      EXPECT_EQ(values.eq(kUntouched).all().item<bool>(), placement.tensor.branch == other)
          << placement.tensor.name;
    }
  }
}

TEST_F(ReplicaTest, PaddingOfThePassesTensorsBecomesZero) {
  Replica replica = Make(Pass::kClean);
  replica.BindWeights(weights_);
  const auto gradients = Train(replica, examples_);
  for (const Placement& placement : layout_->placements()) {
    if (placement.tensor.branch == Branch::kAuxiliary) continue;
    const float* begin = gradients->data() + layout_->global_offset(placement);
    for (size_t i = placement.tensor.size(); i < placement.tensor.padded_size(); ++i) {
      EXPECT_EQ(begin[i], 0) << placement.tensor.name;
    }
  }
}

TEST_F(ReplicaTest, AuxiliaryParametersBelongToTheAdversarialPassAndTheAttack) {
  auto changed = Copy(*weights_);
  At(*changed, "auxiliary.norm2.bias") += 1;
  for (const Pass pass : {Pass::kClean, Pass::kAdversarial, Pass::kAttack, Pass::kEvaluate}) {
    Replica replica = Make(pass);
    const bool trains = pass == Pass::kClean || pass == Pass::kAdversarial;
    if (trains) replica.BindGradients(Filled(layout_->total_size(), 0));
    replica.BindWeights(weights_);
    const torch::Tensor before = replica.Forward(examples_.images).detach();
    replica.BindWeights(changed);
    const bool auxiliary = pass == Pass::kAdversarial || pass == Pass::kAttack;
    EXPECT_EQ(SameBits(replica.Forward(examples_.images).detach(), before), !auxiliary);
  }
}

TEST_F(ReplicaTest, RunningStatisticsAreMainInEvaluationAuxiliaryInTheAttackAndUnusedInTraining) {
  for (const char* statistic : {"norm1.running_mean", "auxiliary.norm1.running_mean"}) {
    auto changed = Copy(*weights_);
    At(*changed, statistic) += 1;
    const bool auxiliary = statistic[0] == 'a';
    for (const Pass pass : {Pass::kClean, Pass::kAdversarial, Pass::kAttack, Pass::kEvaluate}) {
      Replica replica = Make(pass);
      const bool trains = pass == Pass::kClean || pass == Pass::kAdversarial;
      if (trains) replica.BindGradients(Filled(layout_->total_size(), 0));
      replica.BindWeights(weights_);
      const torch::Tensor before = replica.Forward(examples_.images).detach();
      replica.BindWeights(changed);
      EXPECT_EQ(SameBits(replica.Forward(examples_.images).detach(), before),
                pass != (auxiliary ? Pass::kAttack : Pass::kEvaluate))
          << statistic;
    }
  }
}

TEST_F(ReplicaTest, NoPassWritesToTheWeights) {
  const auto before = Copy(*weights_);
  for (const Pass pass : {Pass::kClean, Pass::kAdversarial, Pass::kAttack, Pass::kEvaluate}) {
    Replica replica = Make(pass);
    replica.BindWeights(weights_);
    if (pass == Pass::kClean || pass == Pass::kAdversarial) {
      Train(replica, examples_);
    } else {
      replica.Forward(examples_.images);
    }
    EXPECT_TRUE(SameBits(*weights_, *before));
  }
}

TEST_F(ReplicaTest, ParametersNeedNoGradientWhereThereIsNone) {
  for (const Pass pass : {Pass::kAttack, Pass::kEvaluate}) {
    Replica replica = Make(pass);
    replica.BindWeights(weights_);
    EXPECT_FALSE(replica.Forward(examples_.images).requires_grad());
  }
}

TEST_F(SharedReplicaTest, WithoutAuxiliaryTensorsEveryPassUsesTheSharedOnes) {
  auto changed = Copy(*weights_);
  At(*changed, "norm2.bias") += 1;
  for (const Pass pass : {Pass::kClean, Pass::kAdversarial, Pass::kAttack, Pass::kEvaluate}) {
    Replica replica = Make(pass);
    const bool trains = pass == Pass::kClean || pass == Pass::kAdversarial;
    if (trains) replica.BindGradients(Filled(layout_->total_size(), 0));
    replica.BindWeights(weights_);
    const torch::Tensor before = replica.Forward(examples_.images).detach();
    replica.BindWeights(changed);
    EXPECT_FALSE(SameBits(replica.Forward(examples_.images).detach(), before));
  }
}

TEST_F(SharedReplicaTest, TheAdversarialPassWritesEveryTensor) {
  Replica replica = Make(Pass::kAdversarial);
  replica.BindWeights(weights_);
  const auto gradients = Train(replica, examples_);
  for (const Placement& placement : layout_->placements()) {
    EXPECT_FALSE(At(*gradients, placement.tensor.name).eq(kUntouched).any().item<bool>())
        << placement.tensor.name;
  }
}

}  // namespace
}  // namespace conadv
