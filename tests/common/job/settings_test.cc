// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/job/parse.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

v1::Job With(std::vector<std::string> settings, v1::Job job = v1::Job()) {
  const absl::Status status = ApplySettings(settings, &job);
  EXPECT_TRUE(status.ok()) << status;
  return job;
}

// The message of a refusal, which must leave the job as it was.
std::string SettingError(std::vector<std::string> settings) {
  v1::Job job;
  job.set_seed(7);
  const v1::Job before = job;
  const absl::Status status = ApplySettings(settings, &job);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(job, before));
  return std::string(status.message());
}

TEST(ApplySettings, SetsEveryKindOfScalar) {
  const v1::Job job =
      With({"training.tau=2", "training.steps=18446744073709551615", "training.epochs=0.5",
            "attack.step_size=1e-2", "name=night-run", "attack.targeted=true", "attack.step=L2"});
  EXPECT_EQ(job.training().tau(), 2);
  EXPECT_EQ(job.training().steps(), UINT64_MAX);
  EXPECT_EQ(job.training().epochs(), 0.5);
  EXPECT_EQ(job.attack().step_size(), 1e-2F);
  EXPECT_EQ(job.name(), "night-run");
  EXPECT_TRUE(job.attack().targeted());
  EXPECT_EQ(job.attack().step(), v1::Attack::L2);
}

TEST(ApplySettings, TakesEnumsAndBooleansInAnyCase) {
  const v1::Job job =
      With({"training.algorithm=disAdv", "training.consistency=ssp", "reproducible=False"});
  EXPECT_EQ(job.training().algorithm(), v1::Training::DISADV);
  EXPECT_EQ(job.training().consistency(), v1::Training::SSP);
  EXPECT_TRUE(job.has_reproducible());
  EXPECT_FALSE(job.reproducible());
}

TEST(ApplySettings, ALaterSettingReplacesAnEarlier) {
  EXPECT_EQ(With({"seed=2", "seed=3"}).seed(), 3);
}

TEST(ApplySettings, AValueMayHoldEqualsSignsOrNothing) {
  EXPECT_EQ(With({"dataset.path=/a=b"}).dataset().path(), "/a=b");
  EXPECT_TRUE(With({"server.checkpoint_dir="}).server().has_checkpoint_dir());
}

TEST(ApplySettings, AListReplacesTheListThereWas) {
  v1::Job job;
  job.mutable_schedule()->mutable_step()->add_milestones(0.9);
  EXPECT_THAT(With({"schedule.step.milestones=0.25,0.5"}, job).schedule().step().milestones(),
              ElementsAre(0.25, 0.5));
  EXPECT_THAT(With({"schedule.step.milestones=[0.25, 0.5]"}, job).schedule().step().milestones(),
              ElementsAre(0.25, 0.5));
  EXPECT_THAT(With({"schedule.step.milestones="}, job).schedule().step().milestones(),
              ElementsAre());
}

TEST(ApplySettings, AListOfGroupsIsWrittenAsInAJobFile) {
  v1::Job job;
  job.mutable_dataset()->add_augmentation()->set_cutout(9);
  const v1::Job two =
      With({"dataset.augmentation=[{flip: 0.25}, {crop { padding: 2 }}]"}, std::move(job));
  ASSERT_EQ(two.dataset().augmentation_size(), 2);
  EXPECT_EQ(two.dataset().augmentation(0).flip(), 0.25F);
  EXPECT_EQ(two.dataset().augmentation(1).crop().padding(), 2);
  const v1::Job one = With({"dataset.augmentation={auto_augment: SVHN}"}, two);
  ASSERT_EQ(one.dataset().augmentation_size(), 1);
  EXPECT_EQ(one.dataset().augmentation(0).auto_augment(), v1::Augmentation::SVHN);
  EXPECT_EQ(With({"dataset.augmentation="}, one).dataset().augmentation_size(), 0);
  EXPECT_EQ(With({"dataset.augmentation=[]"}, one).dataset().augmentation_size(), 0);
}

TEST(ApplySettings, WhatIsNoListOfGroupsIsAnsweredWithHowItIsWritten) {
  for (const std::string text : {"flip", "[{flip: 0.5}", "{flip: 0.5} path: '/x'", "{mirror: 1}"}) {
    EXPECT_THAT(SettingError({"dataset.augmentation=" + text}),
                AllOf(HasSubstr("{...}, or [{...}, {...}], of flip, crop"), HasSubstr(text)));
  }
  EXPECT_THAT(SettingError({"dataset.augmentation.flip=1"}),
              HasSubstr("augmentation is a list; set all of it, as in a job file: "
                        "dataset.augmentation=[{...}, {...}]"));
}

TEST(ApplySettings, AOneofMemberWithoutAValueIsChosen) {
  v1::Job job;
  job.mutable_schedule()->mutable_poly();
  EXPECT_TRUE(With({"schedule.cosine="}, job).schedule().has_cosine());
  EXPECT_TRUE(With({"optimizer.lamb="}).optimizer().has_lamb());
}

TEST(ApplySettings, AFieldOfAOneofMemberChoosesIt) {
  v1::Job job;
  job.mutable_optimizer()->mutable_sgd();
  EXPECT_FLOAT_EQ(With({"optimizer.lars.trust=0.02"}, job).optimizer().lars().trust(), 0.02F);
}

TEST(ApplySettings, AMemberThatIsChosenAgainKeepsItsValues) {
  v1::Job job;
  job.mutable_optimizer()->mutable_sgd()->set_momentum(0.5F);
  EXPECT_EQ(With({"optimizer.sgd="}, job).optimizer().sgd().momentum(), 0.5F);
}

TEST(ApplySettings, AnUnknownFieldIsAnsweredWithTheFieldsThereAre) {
  EXPECT_THAT(
      SettingError({"attack.strength=3"}),
      AllOf(StartsWith("attack.strength=3: "), HasSubstr("attack has no field \"strength\""),
            HasSubstr("step, step_size, epsilon, steps, random_start, targeted")));
}

TEST(ApplySettings, AMisspelledFieldIsAnsweredWithWhatWasMeant) {
  EXPECT_THAT(SettingError({"training.tua=3"}), HasSubstr("did you mean training.tau?"));
  EXPECT_THAT(SettingError({"trainig.tau=3"}), HasSubstr("did you mean training.tau?"));
  EXPECT_THAT(SettingError({"tau=3"}), HasSubstr("did you mean training.tau?"));
  EXPECT_THAT(SettingError({"tau=3"}), HasSubstr("the job has no field \"tau\""));
}

TEST(ApplySettings, RefusesWhatIsNotAValueOfTheField) {
  EXPECT_THAT(SettingError({"training.tau=two"}), HasSubstr("whole number from 0 to 4294967295"));
  EXPECT_THAT(SettingError({"training.tau=-1"}), HasSubstr("got \"-1\""));
  EXPECT_THAT(SettingError({"training.tau=4294967296"}), HasSubstr("got \"4294967296\""));
  EXPECT_THAT(SettingError({"training.tau="}), HasSubstr("whole number"));
  EXPECT_THAT(SettingError({"training.epochs=many"}), HasSubstr("expects a number"));
  EXPECT_THAT(SettingError({"attack.targeted=1"}), HasSubstr("true or false"));
  EXPECT_THAT(SettingError({"attack.step=3"}), HasSubstr("one of SIGN, L2, RAW"));
  EXPECT_THAT(SettingError({"schedule.step.milestones=0.5,,0.6"}), HasSubstr("expects a number"));
}

TEST(ApplySettings, RefusesANumberThatAFloatCannotHold) {
  EXPECT_THAT(SettingError({"schedule.peak=1e40"}), HasSubstr("32-bit float"));
  EXPECT_THAT(SettingError({"attack.epsilon=1e-60"}), HasSubstr("32-bit float"));
}

TEST(ApplySettings, RefusesAPathThatIsNotToAField) {
  EXPECT_THAT(SettingError({"training=fast"}), HasSubstr("set one of its fields: algorithm"));
  EXPECT_THAT(SettingError({"training="}), HasSubstr("set one of its fields: algorithm"));
  EXPECT_THAT(SettingError({"optimizer.sgd=0.9"}), HasSubstr("without a value to choose sgd"));
  EXPECT_THAT(SettingError({"schedule.cosine=1"}), HasSubstr("without a value to choose cosine"));
  EXPECT_THAT(SettingError({"training.tau.x=1"}), HasSubstr("has no field \"x\""));
  EXPECT_THAT(SettingError({"training.tau"}), HasSubstr("must be path=value"));
  EXPECT_THAT(SettingError({"=1"}), HasSubstr("no field \"\""));
  EXPECT_THAT(SettingError({"training..tau=1"}), HasSubstr("no field \"\""));
  EXPECT_THAT(SettingError({std::string(100000, 'a') + "=1"}), HasSubstr("no field"));
}

TEST(ApplySettings, NamesEveryWrongSettingAndAppliesNone) {
  const std::string error = SettingError({"seed=x", "training.tau=2", "attack.steps=y"});
  EXPECT_THAT(error, HasSubstr("seed=x: "));
  EXPECT_THAT(error, HasSubstr("\nattack.steps=y: "));
}

TEST(ApplySettings, ARefusalIsTextWhateverTheSettingHolds) {
  EXPECT_THAT(SettingError({"seed=\xff"}), HasSubstr("seed=\\xff: expects a whole number"));
  EXPECT_THAT(SettingError({"\x1b[2J=1"}), StartsWith("\\x1b[2J=1: the job has no field"));
}

}  // namespace
}  // namespace conadv
