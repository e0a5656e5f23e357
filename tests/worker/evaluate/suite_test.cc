// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <utility>

#include "tests/worker/attack/linear.h"
#include "tests/worker/model/replicas.h"
#include "worker/attack/attack.h"
#include "worker/evaluate/suite/apgd.h"
#include "worker/evaluate/suite/ball.h"
#include "worker/evaluate/suite/losses.h"
#include "worker/evaluate/suite/pgd.h"
#include "worker/evaluate/suite/square.h"
#include "worker/evaluate/suite/square_window.h"
#include "worker/evaluate/suite/step_schedule.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kSide = 12;
constexpr int64_t kPixels = kSide * kSide;

Replica ReplicaOf(std::unique_ptr<Network> network) {
  const auto layout = LayoutOf(*network, false);
  const auto weights = InitialWeights(*network, *layout);
  Replica replica(std::move(network), layout, Pass::kEvaluate, &TestDevice());
  replica.BindWeights(weights);
  return replica;
}

// A model of `classes` classes and images that it classifies right, some by a hair. None is near 0
// or 1, so that the data range plays no part.
struct LinearCase {
  explicit LinearCase(int64_t classes) {
    constexpr int64_t examples = 60;
    auto generator = torch::make_generator<torch::CPUGeneratorImpl>(3);
    weight = torch::randn({classes, kPixels}, generator);
    replica = std::make_unique<Replica>(ReplicaOf(std::make_unique<LinearNetwork>(weight.clone())));
    victims.images = 0.3 + 0.4 * torch::rand({examples, 1, kSide, kSide}, generator);
    victims.labels = victims.images.flatten(1).matmul(weight.t()).argmax(1);
    victims.indices.resize(static_cast<size_t>(examples));
    std::iota(victims.indices.begin(), victims.indices.end(), 100);
    context.replica = replica.get();
    context.seed = 5;
    context.go_on = [] { return true; };
  }

  // How far each image is from the nearest other class: its margin over the dual norm of the
  // weights' difference, the least of all other classes. [n].
  torch::Tensor Distances(EvaluationNorm norm) const {
    const torch::Tensor logits = victims.images.flatten(1).matmul(weight.t());
    torch::Tensor distances = torch::full({victims.size()}, 1e9);
    for (int64_t other = 0; other < weight.size(0); ++other) {
      const torch::Tensor difference = weight.index_select(0, victims.labels) - weight[other];
      const torch::Tensor margin =
          logits.gather(1, victims.labels.view({-1, 1})).squeeze(1) - logits.select(1, other);
      const torch::Tensor dual =
          norm == EvaluationNorm::kLinf ? difference.abs().sum(1) : difference.norm(2, 1);
      distances =
          torch::where(victims.labels == other, distances, torch::min(distances, margin / dual));
    }
    return distances;
  }

  // A radius with the given share of the images inside.
  void SetBall(EvaluationNorm norm, double share) {
    const torch::Tensor sorted = std::get<0>(Distances(norm).sort());
    const auto below = static_cast<int64_t>(share * static_cast<double>(victims.size()));
    context.ball = {norm, 0.5F * (sorted[below - 1] + sorted[below]).item<float>()};
  }
  torch::Tensor CanFall() const { return Distances(context.ball.norm) < context.ball.radius; }
  torch::Tensor Fell(const torch::Tensor& images) const {
    return Fallen(replica->Forward(images), victims.labels);
  }

  torch::Tensor weight;
  std::unique_ptr<Replica> replica;
  Victims victims;
  AttackContext context;
};

void ExpectInBall(const Ball& ball, const torch::Tensor& images, const torch::Tensor& center) {
  const torch::Tensor moved = (images - center).flatten(1);
  const double furthest = ball.norm == EvaluationNorm::kLinf
                              ? moved.abs().max().item<double>()
                              : moved.norm(2, 1).max().item<double>();
  EXPECT_LE(furthest, ball.radius + 1e-6);  // pixels are rounded
  EXPECT_GE(images.min().item<double>(), 0);
  EXPECT_LE(images.max().item<double>(), 1);
}

PgdOptions Pgd(const LinearCase& c, AttackLoss loss, uint32_t restarts = 1) {
  PgdOptions options;
  options.steps = 40;
  options.step_size = c.context.ball.radius / 4;
  options.restarts = restarts;
  options.loss = loss;
  return options;
}

class NormTest : public testing::TestWithParam<EvaluationNorm> {};
INSTANTIATE_TEST_SUITE_P(Balls, NormTest,
                         testing::Values(EvaluationNorm::kLinf, EvaluationNorm::kL2));

// Of two classes there is one way to fall, and every gradient shows it.
TEST_P(NormTest, OfTwoClassesGradientAttacksFindExactlyWhatTheDualNormSays) {
  LinearCase c(2);
  c.SetBall(GetParam(), 0.5);
  const torch::Tensor can_fall = c.CanFall();
  ASSERT_EQ(can_fall.sum().item<int64_t>(), 30);
  for (const torch::Tensor& images :
       {AttackPgd(c.context, c.victims, Pgd(c, AttackLoss::kCrossEntropy)).images,
        AttackPgd(c.context, c.victims, Pgd(c, AttackLoss::kMargin, 3)).images,
        AttackApgdCe(c.context, c.victims, 100).images,
        AttackApgdTargeted(c.context, c.victims, 100, 9).images}) {
    EXPECT_TRUE(torch::equal(c.Fell(images), can_fall));
    ExpectInBall(c.context.ball, images, c.victims.images);
  }
}

// Each wrong class is aimed at in turn, so the nearest one is.
TEST_P(NormTest, OfManyClassesTheTargetedAttackFindsExactlyWhatTheDualNormSays) {
  for (const int64_t classes : {3, 6}) {
    LinearCase c(classes);
    c.SetBall(GetParam(), 0.5);
    const torch::Tensor images = AttackApgdTargeted(c.context, c.victims, 100, 9).images;
    EXPECT_TRUE(torch::equal(c.Fell(images), c.CanFall()));
    ExpectInBall(c.context.ball, images, c.victims.images);
  }
}

TEST_P(NormTest, SquareFindsMuchOfWhatCanFallAndNothingElse) {
  LinearCase c(4);
  c.SetBall(GetParam(), 0.5);
  const torch::Tensor images = AttackSquare(c.context, c.victims, 1000, 0.8).images;
  const torch::Tensor fell = c.Fell(images);
  EXPECT_FALSE((fell & ~c.CanFall()).any().item<bool>());
  EXPECT_GE(fell.sum().item<int64_t>(), 18);
  ExpectInBall(c.context.ball, images, c.victims.images);
  // Each point that it asked about is in the ball, not only those that win.
  c.context.ball.radius *= 0.2F;
  ExpectInBall(c.context.ball, AttackSquare(c.context, c.victims, 200, 0.8).images,
               c.victims.images);
}

// In a batch of others, and in whatever order: nothing but its index makes an example's draws.
TEST_P(NormTest, AnExampleFallsOrNotWhoeverElseIsInTheBatch) {
  LinearCase c(4);
  c.SetBall(GetParam(), 0.5);
  const auto fell = [&](const Victims& victims) {
    const torch::Tensor apgd = AttackApgdCe(c.context, victims, 20).images;
    const torch::Tensor square = AttackSquare(c.context, victims, 50, 0.8).images;
    return torch::stack({Fallen(c.replica->Forward(apgd), victims.labels),
                         Fallen(c.replica->Forward(square), victims.labels)});
  };
  const torch::Tensor together = fell(c.victims);
  Victims some;
  const torch::Tensor rows = torch::tensor({41, 7, 19, 3}, torch::kInt64);
  some.images = c.victims.images.index_select(0, rows);
  some.labels = c.victims.labels.index_select(0, rows);
  some.indices = {141, 107, 119, 103};
  for (const StartFrom from : {StartFrom::kInside, StartFrom::kSurface}) {
    EXPECT_TRUE(
        SameBits(RandomStarts(c.context, some, Draw::kPgd, 1, from),
                 RandomStarts(c.context, c.victims, Draw::kPgd, 1, from).index_select(0, rows)));
  }
  EXPECT_TRUE(torch::equal(fell(some), together.index_select(1, rows)));
  EXPECT_TRUE(torch::equal(fell(c.victims), together));
}

TEST(PgdTest, FromTheImageItIsTheTrainingsAttackToTheBit) {
  auto network = SmallFactory("convnet")();
  Replica replica = ReplicaOf(std::move(network));
  const Examples examples = RandomExamples(20);
  AttackContext context;
  context.replica = &replica;
  context.go_on = [] { return true; };
  std::vector<uint64_t> indices(20);
  for (const EvaluationNorm norm : {EvaluationNorm::kLinf, EvaluationNorm::kL2}) {
    const bool linf = norm == EvaluationNorm::kLinf;
    context.ball = {norm, linf ? 0.1F : 0.5F};
    PgdOptions pgd;
    pgd.steps = 5;
    pgd.step_size = context.ball.radius / 2;
    AttackOptions attack;
    attack.step = linf ? AttackStep::kSign : AttackStep::kL2;
    attack.step_size = pgd.step_size;
    attack.epsilon = context.ball.radius;
    attack.steps = pgd.steps;
    EXPECT_TRUE(SameBits(
        AttackPgd(context, {examples.images, examples.labels, indices}, pgd).images,
        MakeAdversarial(replica, examples.images, examples.labels, 3, attack, 0, AttackSeed())));
  }
}

// Right or wrong by the first pixel alone, but flat where the image is: only a start elsewhere sees
// the slope.
class Plateau final : public Network {
 public:
  Plateau() { tensors_.push_back({"weight", torch::ones({1}), false, false, true, 0, {}}); }
  torch::Tensor Forward(const torch::Tensor& images) override {
    const torch::Tensor x = images.flatten(1).select(1, 0);
    const torch::Tensor bright = torch::relu(x - 0.52) * 100 * tensors_[0].tensor;
    return torch::stack({torch::full_like(bright, 5), bright}, 1);
  }
  const std::vector<NetworkTensor>& tensors() const override { return tensors_; }
  void SetTraining(bool) override {}

 private:
  std::vector<NetworkTensor> tensors_;
};

TEST(PgdTest, RestartsBeginElsewhereAndTheWorstCounts) {
  Replica replica = ReplicaOf(std::make_unique<Plateau>());
  AttackContext context;
  context.replica = &replica;
  context.ball = {EvaluationNorm::kLinf, 0.1F};
  context.go_on = [] { return true; };
  const Victims victims{
      torch::full({8, 1, 2, 2}, 0.5), torch::zeros({8}, torch::kInt64), {0, 1, 2, 3, 4, 5, 6, 7}};
  PgdOptions pgd;
  pgd.steps = 10;
  pgd.step_size = 0.025F;
  const auto fallen = [&] {
    return Fallen(replica.Forward(AttackPgd(context, victims, pgd).images), victims.labels)
        .sum()
        .item<int64_t>();
  };
  EXPECT_EQ(fallen(), 0);
  EXPECT_EQ(AttackPgd(context, victims, pgd).zero_gradients, 8);
  pgd.restarts = 20;
  EXPECT_EQ(fallen(), 8);
}

TEST(ApgdTest, LooksBackWhereThePaperSays) {
  EXPECT_THAT(Checkpoints(100), ElementsAre(22, 41, 57, 70, 80, 87, 93, 99));
  EXPECT_THAT(Checkpoints(1), ElementsAre());
}

TEST(SquareTest, WindowsShrinkAsThePaperSays) {
  EXPECT_EQ(WindowShare(0.8, 10), 0.8);
  EXPECT_EQ(WindowShare(0.8, 11), 0.4);
  EXPECT_EQ(WindowShare(0.8, 201), 0.1);
  EXPECT_EQ(WindowShare(0.8, 4999), 0.8 / 128);
  EXPECT_EQ(WindowSide(0.8, 32, 32, 1), 29);
  EXPECT_EQ(WindowSide(0.001, 10, 10, 1), 1);
  EXPECT_EQ(WindowSide(1, 4, 16, 1), 4);
}

TEST(SquareTest, BumpsWeighOneAndCancelOut) {
  for (const int64_t side : {2, 3, 7, 8}) {
    const std::vector<float> bumps = Bumps(side);
    double squares = 0;
    for (const float value : bumps) squares += static_cast<double>(value) * value;
    EXPECT_NEAR(squares, 1, 1e-5);
    EXPECT_GT(bumps.front(), 0);
    EXPECT_LT(bumps.back(), 0);
  }
}

// The margin's, in the units of the other logits (eq. 7).
TEST(LossTest, TargetedDlrIsThePapers) {
  const torch::Tensor logits = torch::tensor({{5.0F, 1.0F, 4.0F, 2.0F, 0.0F}});
  const torch::Tensor loss =
      Losses(AttackLoss::kTargetedDlr, logits, torch::tensor({0}, torch::kInt64),
             torch::tensor({3}, torch::kInt64));
  EXPECT_NEAR(loss.item<double>(), -(5.0 - 2.0) / (5.0 - (2.0 + 1.0) / 2), 1e-6);
}

TEST(SuiteTest, TheWorstOfAllAttacksIsWhatStands) {
  LinearCase c(5);
  c.SetBall(EvaluationNorm::kLinf, 0.5);
  EvaluationOptions options;
  options.suite = EvaluationSuite::kStandard;
  options.attack_steps = 10;
  options.step_size = c.context.ball.radius / 4;
  EXPECT_THAT(AttackNames(options), ElementsAre("APGD-CE", "APGD-T", "Square", "PGD-10"));
  // A third is wrong from the start.
  const torch::Tensor right = torch::arange(60).remainder(3).ne(0);
  std::vector<size_t> told;
  const SuiteCounts counts = RunSuite(c.context, c.victims, right, options,
                                      [&told](size_t attack) { told.push_back(attack); });
  EXPECT_THAT(told, ElementsAre(0, 1, 2, 3));
  ASSERT_EQ(counts.standing.size(), 4U);
  EXPECT_TRUE(std::is_sorted(counts.standing.rbegin(), counts.standing.rend()));
  EXPECT_EQ(counts.standing.back(), (right & ~c.CanFall()).sum().item<int64_t>());
}

TEST(SuiteTest, EndsSoonOnceItsResultIsNotWanted) {
  LinearCase c(5);
  c.context.ball = {EvaluationNorm::kLinf, 1e-6F};
  int asked = 0;
  c.context.go_on = [&asked] { return ++asked < 5; };
  EvaluationOptions options;
  options.suite = EvaluationSuite::kStandard;
  options.attack_steps = 10;
  RunSuite(c.context, c.victims, torch::ones({60}, torch::kBool), options, [](size_t) {});
  EXPECT_LT(asked, 20);
}

}  // namespace
}  // namespace conadv
