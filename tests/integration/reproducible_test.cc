// SPDX-License-Identifier: Apache-2.0
// The final weights are a function of the job: not of who computed them, nor of who died meanwhile.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/local_run.h"
#include "tests/support/temp_dir.h"
#include "tests/worker/data/images.h"
#include "worker/model/builtin/builtin.h"

namespace conadv {
namespace {

const std::vector<std::string> kLongerSteps = {"training.steps=30"};

std::string CrcOf(int servers, int workers, std::vector<std::string> settings,
                  const std::string& job = "") {
  LocalRun run(SharedData(), {servers, workers, std::move(settings), job});
  run.Finish();
  return run.crc();
}

// Kills a worker once the run is under way; `conadv train` starts another.
std::string CrcWithAKilledWorker(const std::vector<std::string>& settings,
                                 const std::string& job = "") {
  LocalRun run(SharedData(), {1, 2, settings, job});
  run.AwaitVersion(20);
  const pid_t worker = FindChild(run.process().pid(), "worker-1");
  EXPECT_GT(worker, 0);
  if (worker > 0) {
    EXPECT_EQ(kill(worker, SIGKILL), 0);
  }
  run.Finish();
  return run.crc();
}

// Kills shard 1 of two in mid-run, and then a worker; both are started again.
std::string CrcWithAKilledShardAndWorker(const std::vector<std::string>& settings) {
  LocalRun run(SharedData(), {2, 3, settings, ""});
  for (const auto& [version, child] : {std::pair(40, "--shard=1"), std::pair(90, "worker-1")}) {
    run.AwaitVersion(version);
    const pid_t pid = FindChild(run.process().pid(), child);
    EXPECT_GT(pid, 0) << child;
    if (pid > 0) {
      EXPECT_EQ(kill(pid, SIGKILL), 0);
    }
  }
  run.Finish();
  EXPECT_GE(run.summary()["restarts"], 2);
  return run.crc();
}

// A ResNet in a TorchScript file, folders of JPEG files, and one of them cut short.
std::string OwnModelAndImages(const TempDir& directory) {
  for (const char* split : {"train", "test"}) {
    for (uint8_t i = 0; i < 64; ++i) {
      const std::string folder = absl::StrCat(directory.path(), "/", split, "/class", i % 4);
      std::filesystem::create_directories(folder);
      std::string jpeg = Jpeg(Flat(8 + i % 3, 9, {uint8_t(3 * i), uint8_t(60 * (i % 4)), 90}));
      if (i == 21) jpeg.resize(jpeg.size() / 2);
      WriteFile(absl::StrCat(folder, "/", i, ".jpg"), jpeg);
    }
  }
  ModelOptions model;
  model.builtin = "resnet20";
  model.width = 4;
  const absl::StatusOr<ScriptModule> net = MakeBuiltin(model, {3, 8, 8, 4}, /*seed=*/5);
  EXPECT_TRUE(net.ok()) << net.status();
  net->save(directory / "net.pt");
  return absl::StrCat(R"(
    name: "own" seed: 3
    model { torchscript: ")",
                      directory / "net.pt", R"(" }
    dataset { format: FOLDER path: ")",
                      directory.path(), R"(" height: 8 width: 8 max_corrupt: 1 cache_bytes: 4000
              augmentation [{ flip: 0.5 }, { crop { padding: 1 } }, { auto_augment: CIFAR10 }] }
    training { algorithm: CONADV tau: 1 global_batch: 32 slots: 4 steps: 60 }
    optimizer { sgd { momentum: 0.9 } }
    schedule { peak: 0.05 }
    server { lease_seconds: 3 }
    evaluation { attack_steps: 0 }
  )");
}

TEST(Reproducible, TheSameBitsForAnyNumberOfWorkersAndShards) {
  const std::string expected = CrcOf(1, 1, kLongerSteps);
  EXPECT_EQ(expected.size(), 8U);
  EXPECT_EQ(CrcOf(1, 3, kLongerSteps), expected);
  EXPECT_EQ(CrcOf(2, 1, kLongerSteps), expected);
  EXPECT_EQ(CrcOf(2, 3, kLongerSteps), expected);
}

TEST(Reproducible, TheSameBitsWhereTheWireCarriesBfloat16) {
  std::vector<std::string> settings = kLongerSteps;
  settings.insert(settings.end(), {"wire.weights=BF16", "wire.gradients=BF16"});
  const std::string expected = CrcOf(1, 1, settings);
  EXPECT_EQ(CrcOf(2, 3, settings), expected);
  EXPECT_NE(expected, CrcOf(1, 1, kLongerSteps));
}

TEST(Reproducible, AnotherSeedGivesOtherBits) {
  EXPECT_NE(CrcOf(1, 1, {"seed=4"}), CrcOf(1, 1, {"seed=5"}));
}

TEST(Reproducible, ConvnetWithLarsRandomStartsAndTargetsToo) {
  const std::vector<std::string> settings = {"model.builtin=convnet",
                                             "model.width=8",
                                             "training.tau=2",
                                             "attack.step=SIGN",
                                             "attack.epsilon=0.1",
                                             "attack.random_start=0.8",
                                             "attack.targeted=true",
                                             "attack.steps=2",
                                             "optimizer.lars.trust=0.02",
                                             "training.label_smoothing=0.1"};
  EXPECT_EQ(CrcOf(1, 1, settings), CrcOf(2, 2, settings));
}

TEST(Reproducible, ThreeWayMixtureWithAutoAugmentToo) {
  const std::vector<std::string> settings = {
      "model.builtin=convnet", "model.width=8", "training.steps=100",
      "training.augmented_weight=0.5",
      "dataset.augmentation=[{flip: 0.5 every_pass: true}, {auto_augment: SVHN}]"};
  const std::string expected = CrcOf(1, 1, settings);
  EXPECT_EQ(CrcOf(2, 3, settings), expected);
  EXPECT_EQ(CrcWithAKilledWorker(settings), expected);
}

TEST(Reproducible, MeasuringWhatStalenessDoesChangesNothing) {
  for (const char* batch_norm : {"attack.batch_norm=RUNNING", "attack.batch_norm=BATCH"}) {
    const auto crc = [&](int workers, const char* cosine_every) {
      return CrcOf(1, workers,
                   {"model.builtin=convnet", "model.width=8", "training.steps=20", "training.tau=2",
                    "training.mixture_batch_norm=true", "attack.step=SIGN", "attack.epsilon=0.1",
                    "attack.random_start=0.8", batch_norm, cosine_every});
    };
    EXPECT_EQ(crc(2, "attack.cosine_every=1"), crc(1, "attack.cosine_every=0")) << batch_norm;
  }
}

// Who takes over makes the images anew that the one before had moved.
TEST(Reproducible, RivalsToo) {
  std::vector<std::string> settings = {
      "model.width=64",          "training.steps=100", "attack.step=L2",    "attack.epsilon=0.5",
      "training.algorithm=FREE", "training.tau=0",     "training.replays=4"};
  const std::string expected = CrcOf(1, 1, settings);
  EXPECT_EQ(CrcOf(2, 3, settings), expected);
  EXPECT_EQ(CrcWithAKilledWorker(settings), expected);
  settings = {"attack.step=L2", "attack.epsilon=0.5", "training.algorithm=FAST_ADVPROP",
              "training.tau=0"};
  EXPECT_EQ(CrcOf(1, 1, settings), CrcOf(2, 3, settings));
}

TEST(Reproducible, AnAverageAndRulesOfTensorsToo) {
  std::vector<std::string> settings = {"model.builtin=convnet", "model.width=8",
                                       "optimizer.lamb.weight_decay=0.01",
                                       "optimizer.tensors=[{pattern: '*.bias' weight_decay: 0.1}, "
                                       "{pattern: 'conv1.*' frozen: true}]",
                                       "training.steps=20"};
  const std::string weights = CrcOf(1, 1, settings);
  settings.emplace_back("optimizer.average.decay=0.9");
  const std::string average = CrcOf(1, 1, settings);
  EXPECT_NE(average, weights) << "what is exported is the average";
  EXPECT_EQ(CrcOf(2, 2, settings), average);
  // Under way it is the same one version's, whatever comes after.
  settings.emplace_back("training.steps=3000");
  LocalRun longer(SharedData(), {2, 1, settings, ""});
  Process pull({BinaryPath("conadv"), "pull", "--json", "--averaged", "--version=20",
                "--server=" + longer.Coordinator(), "--out=" + longer.out() + ".20"});
  ASSERT_TRUE(pull.Wait(absl::Minutes(1))->ok()) << pull.error();
  EXPECT_EQ(nlohmann::json::parse(pull.output())["weights_crc32c"], average);
}

TEST(Reproducible, PassesInBf16TooAndTheyAreOtherBitsThanFloat32) {
  const std::vector<std::string> settings = {"model.builtin=resnet20", "model.width=4",
                                             "training.steps=6"};
  std::vector<std::string> fast = settings;
  for (const char* setting : {"training.precision=BF16", "attack.precision=BF16"}) {
    fast.emplace_back(setting);
    const std::string expected = CrcOf(1, 1, fast);
    EXPECT_EQ(CrcOf(1, 3, fast), expected) << setting;
    EXPECT_NE(CrcOf(1, 1, settings), expected) << setting;
  }
}

TEST(Reproducible, AKilledWorkerChangesNothing) {
  const std::vector<std::string> settings = {"training.steps=400", "model.width=64"};
  EXPECT_EQ(CrcWithAKilledWorker(settings), CrcOf(1, 2, settings));
}

TEST(Reproducible, ClippedByTheNormOfAllShardsTooWhoeverIsKilled) {
  std::vector<std::string> settings = {"training.steps=30", "optimizer.global_clip_norm=0.5"};
  const std::string expected = CrcOf(1, 1, settings);
  EXPECT_EQ(expected.size(), 8U);
  EXPECT_EQ(CrcOf(2, 3, settings), expected);
  EXPECT_NE(CrcOf(1, 1, kLongerSteps), expected);
  settings = {"training.steps=200", "optimizer.global_clip_norm=0.5", "model.width=64",
              "server.checkpoint_every=10"};
  EXPECT_EQ(CrcWithAKilledShardAndWorker(settings), CrcOf(1, 1, settings));
}

TEST(Reproducible, OwnModelAndOwnImagesAugmentedAndWithADamagedOneToo) {
  const TempDir directory;
  const std::string job = OwnModelAndImages(directory);
  const std::string expected = CrcOf(1, 1, {}, job);
  EXPECT_EQ(expected.size(), 8U);
  EXPECT_EQ(CrcOf(2, 3, {}, job), expected);
  EXPECT_EQ(CrcWithAKilledWorker({}, job), expected);
}

}  // namespace
}  // namespace conadv
