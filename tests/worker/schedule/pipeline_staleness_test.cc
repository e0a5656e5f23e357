// SPDX-License-Identifier: Apache-2.0
// What the pipeline says of an attack's staleness: where it arose, and what it did.
#include "tests/support/streams.h"
#include "tests/worker/schedule/pipeline_fixture.h"

namespace conadv {
namespace {

class PipelineStalenessTest : public PipelineTest {
 protected:
  void MakeStale(uint32_t tau) {
    PlanOptions options = SomeOptions();
    options.tau = tau;
    Make(options);
  }
  // Answers the pull of this version once it is there.
  void AnswerPullOf(uint64_t version) {
    size_t found = 0;
    Await([&] {
      for (found = 0; found < pulls_.size(); ++found) {
        if (pulls_[found].selector.value == version) return true;
      }
      return false;
    });
    AnswerPull(found);
  }
  // Of a unit's adversarial stream, once it is pushed.
  Contribution AttackedOf(const Unit& unit) {
    Contribution of;
    Await([&] {
      for (const Contribution& header : headers_) {
        if (header.unit != unit || header.stream != kAdversarialStream) continue;
        of = header;
        return true;
      }
      return false;
    });
    return of;
  }
  static std::pair<int, int> LeaseAndCompute(const Contribution& of) {
    return {of.attack_origins->lease, of.attack_origins->compute};
  }
};

TEST_F(PipelineStalenessTest, WhatWasThereBeforeTheUnitCameIsItsLeases) {
  MakeStale(3);
  // A worker that has seen nothing takes a unit over: the run is at version 9.
  pipeline_->Grant({At(9)}, kLineage);
  AnswerPullOf(6);
  AnswerPullOf(9);
  EXPECT_EQ(LeaseAndCompute(AttackedOf(At(9))), std::pair(3, 0));
  // One of the next step, which it gets before that step's version is there.
  pipeline_->Grant({At(10)}, kLineage);
  AnswerPullOf(10);
  AnswerPullOf(7);
  EXPECT_EQ(LeaseAndCompute(AttackedOf(At(10))), std::pair(2, 0)) << "the third while it waited";
}

TEST_F(PipelineStalenessTest, WhatComesWhileTheAttackRunsIsItsComputes) {
  MakeStale(2);
  pipeline_->Grant({At(4)}, kLineage);
  AnswerPullOf(4);
  AnswerPullOf(2);
  // Done: it takes no place in the window any more.
  Await([&] { return pushes_.size() == 2; });
  AnswerPush(1);
  AnswerPush(0);
  // Both in hand at version 4. Versions 5 and 6 come while unit 6 is attacked.
  int begun = 0;
  compute_.before_attack = [&] {
    bool second = false;
    Note([&] { second = ++begun == 2; });
    if (!second) return;
    AnswerPullOf(5);
    AnswerPullOf(6);
  };
  pipeline_->Grant({At(5)}, kLineage);
  AnswerPullOf(3);
  Await([&] { return begun == 1; });
  pipeline_->Grant({At(6)}, kLineage);
  EXPECT_EQ(LeaseAndCompute(AttackedOf(At(6))), std::pair(0, 2));
}

TEST_F(PipelineStalenessTest, WhereNothingIsStaleNothingIsMeasured) {
  MakeStale(1);
  compute_.cosine = 0.5F;
  pipeline_->Grant({At(0)}, kLineage);
  AnswerPullOf(0);
  const Contribution fresh = AttackedOf(At(0));
  EXPECT_FALSE(fresh.attack_cosine.has_value());
  EXPECT_EQ(LeaseAndCompute(fresh), std::pair(0, 0));
  pipeline_->Grant({At(1)}, kLineage);
  AnswerPullOf(1);
  EXPECT_EQ(AttackedOf(At(1)).attack_cosine, 0.5F);
  Await([&] { return headers_.size() == 4; });
  for (const Contribution& header : headers_) {
    if (header.stream == kAdversarialStream) continue;
    EXPECT_FALSE(header.attack_cosine.has_value() || header.attack_origins.has_value());
  }
}

TEST_F(PipelineStalenessTest, AMeasurementThatFailsFailsNoUnit) {
  MakeStale(1);
  compute_.cosine = absl::ResourceExhaustedError("no memory for it");
  pipeline_->Grant({At(5)}, kLineage);
  AnswerPullOf(4);
  AnswerPullOf(5);
  EXPECT_FALSE(AttackedOf(At(5)).attack_cosine.has_value());
  EXPECT_TRUE(failed_.empty());
}

}  // namespace
}  // namespace conadv
