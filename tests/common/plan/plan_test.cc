// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "common/plan/plan_proto.h"
#include "common/plan/simulated_plan.h"
#include "conadv/v1/tensor.pb.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

Plan SmallPlan() {
  Plan plan;
  plan.tensors = {{"conv.weight", {16, 1, 3, 3}, TensorKind::kWeight, Branch::kShared, 0},
                  {"norm.mean", {16}, TensorKind::kStatistic, Branch::kAuxiliary, 0.1F},
                  {"scale", {}, TensorKind::kNoDecay, Branch::kMain, 0}};
  plan.examples = 60000;
  plan.steps = 937;
  plan.data_fingerprint = 0x1234;
  plan.initial_weights_crc32c = 0xabcd;
  return plan;
}

TEST(Plan, SurvivesTheWire) {
  const Plan plan = SmallPlan();
  const absl::StatusOr<Plan> again = FromProto(ToProto(plan));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(CheckSamePlan(plan, *again).ok());
  EXPECT_EQ(again->tensors[0].shape, plan.tensors[0].shape);
  EXPECT_EQ(again->tensors[1].kind, TensorKind::kStatistic);
  EXPECT_EQ(again->tensors[1].branch, Branch::kAuxiliary);
  EXPECT_EQ(again->tensors[1].momentum, 0.1F);
  EXPECT_EQ(again->tensors[2].size(), 1);
  EXPECT_EQ(again->steps, 937);
}

TEST(Plan, AMeanOfAllBatchesSurvivesTheWire) {
  Plan plan = SmallPlan();
  plan.tensors[1].momentum = 0;
  plan.tensors[1].batches = 7;
  const absl::StatusOr<Plan> again = FromProto(ToProto(plan));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->tensors[1].momentum, 0);
  EXPECT_EQ(again->tensors[1].batches, 7);
}

TEST(Plan, SurvivesAsBytes) {
  v1::Plan proto;
  ASSERT_TRUE(proto.ParseFromString(PlanBytes(SmallPlan())));
  const absl::StatusOr<Plan> again = FromProto(proto);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(PlanBytes(*again), PlanBytes(SmallPlan()));
}

TEST(Plan, FromAPeerIsRefusedWithTheTensorsName) {
  struct Case {
    std::function<void(v1::Plan*)> spoil;
    std::string message;
  };
  const std::vector<Case> cases = {
      {[](v1::Plan* p) { p->mutable_tensors(0)->clear_name(); }, "a tensor without a name"},
      {[](v1::Plan* p) { p->mutable_tensors(0)->set_name(std::string(1025, 'x')); },
       "longer than 1024"},
      {[](v1::Plan* p) { p->mutable_tensors(0)->add_shape(0); }, "conv.weight: a dimension is 0"},
      {[](v1::Plan* p) { p->mutable_tensors(0)->add_shape(UINT64_MAX); },
       "conv.weight: more than 2^40 elements"},
      {[](v1::Plan* p) {
         for (int i = 0; i < 17; ++i) p->mutable_tensors(0)->add_shape(1);
       },
       "conv.weight: 21 dimensions"},
      {[](v1::Plan* p) { p->mutable_tensors(0)->set_kind(static_cast<v1::Tensor::Kind>(9)); },
       "conv.weight: unknown kind 9"},
      {[](v1::Plan* p) { p->mutable_tensors(0)->set_branch(static_cast<v1::Tensor::Branch>(-1)); },
       "conv.weight: unknown branch -1"},
      {[](v1::Plan* p) { p->mutable_tensors(1)->set_momentum(std::nanf("")); },
       "norm.mean: momentum must be in [0, 1], got nan"},
      {[](v1::Plan* p) { p->mutable_tensors(1)->set_momentum(-0.1F); }, "norm.mean: momentum"},
      {[](v1::Plan* p) { p->mutable_tensors(1)->set_batches(7); },
       "norm.mean: batches must be 0 beside a momentum of 0.1, got 7"},
      {[](v1::Plan* p) { p->clear_tensors(); }, "no tensors"},
      {[](v1::Plan* p) { p->set_examples(0); }, "examples must be > 0"},
      {[](v1::Plan* p) { p->set_steps(0); }, "steps must be > 0"},
      {[](v1::Plan* p) {
         for (int i = 0; i < 1 << 20; ++i) p->add_tensors();
       },
       "1048579 tensors, at most 1048576"},
  };
  for (const Case& hostile : cases) {
    v1::Plan proto = ToProto(SmallPlan());
    hostile.spoil(&proto);
    const absl::Status status = FromProto(proto).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(hostile.message));
  }
}

TEST(CheckSamePlan, NamesTheFirstDifferenceWithBothValues) {
  struct Case {
    std::function<void(Plan*)> change;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {[](Plan* p) { p->data_fingerprint = 0x5678; },
       {"training data", "0000000000005678", "0000000000001234", "dataset.path"}},
      {[](Plan* p) { p->examples = 10; }, {"training data", "10 examples", "60000 examples"}},
      {[](Plan* p) { p->model_fingerprint = 0x99; },
       {"the model's file", "0000000000000099", "a built-in one", "model.torchscript"}},
      {[](Plan* p) { p->tensors[0].shape[0] = 32; },
       {"tensor 0", "conv.weight [32, 1, 3, 3]", "conv.weight [16, 1, 3, 3]"}},
      {[](Plan* p) { p->tensors[1].name = "other"; }, {"tensor 1", "other [16]", "norm.mean [16]"}},
      {[](Plan* p) { p->tensors[1].momentum = 0.10000001F; }, {"tensor 1", "0.100000009"}},
      {[](Plan* p) {
         p->tensors[1].momentum = 0;
         p->tensors[1].batches = 7;
       },
       {"tensor 1", "momentum 0 (7 batches)"}},
      {[](Plan* p) { p->tensors[2].kind = TensorKind::kWeight; },
       {"tensor 2", "WEIGHT", "NO_DECAY"}},
      {[](Plan* p) { p->tensors[2].branch = Branch::kShared; }, {"tensor 2", "SHARED", "MAIN"}},
      {[](Plan* p) { p->tensors.pop_back(); }, {"tensor 2", "no such tensor", "scale []"}},
      {[](Plan* p) { p->tensors.push_back(p->tensors[0]); }, {"tensor 3", "no such tensor"}},
      {[](Plan* p) { p->steps = 1; }, {"number of steps", "has 1,", "has 937"}},
      {[](Plan* p) { p->initial_weights_crc32c = 0; },
       {"initial weights", "00000000", "0000abcd", "same build"}},
  };
  for (const Case& different : cases) {
    Plan offered = SmallPlan();
    different.change(&offered);
    const absl::Status status = CheckSamePlan(SmallPlan(), offered);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    for (const std::string& part : different.parts) {
      EXPECT_THAT(std::string(status.message()), HasSubstr(part));
    }
  }
}

TEST(CheckSamePlan, TakesAnEqualPlan) { EXPECT_TRUE(CheckSamePlan(SmallPlan(), SmallPlan()).ok()); }

TEST(Plan, ASimulatedOneAndAnotherAreToldApart) {
  const Plan real = SmallPlan();
  Plan simulated = SmallPlan();
  simulated.tensors = SimulatedTensors(1000);
  EXPECT_TRUE(IsSimulated(simulated));
  EXPECT_FALSE(IsSimulated(real));
  EXPECT_TRUE(CheckSamePlan(simulated, simulated).ok());
  const absl::Status into_real = CheckSamePlan(real, simulated);
  EXPECT_TRUE(absl::IsInvalidArgument(into_real));
  EXPECT_THAT(std::string(into_real.message()),
              HasSubstr("this worker is simulated and the run's are not"));
  const absl::Status into_simulated = CheckSamePlan(simulated, real);
  EXPECT_TRUE(absl::IsInvalidArgument(into_simulated));
  EXPECT_THAT(std::string(into_simulated.message()),
              HasSubstr("the run's workers are simulated and this one is not"));
}

}  // namespace
}  // namespace conadv
