// SPDX-License-Identifier: Apache-2.0
// What a user gets wrong is answered with one clear line and a non-zero exit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/integration/local_run.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Outcome {
  bool ok = false;
  std::string error;
};

Outcome RunToEnd(std::vector<std::string> arguments) {
  Process process(std::move(arguments));
  const absl::StatusOr<ExitStatus> status = process.Wait(absl::Minutes(2));
  EXPECT_TRUE(status.ok()) << status.status();
  return {status.ok() && status->ok(), process.error()};
}

// `conadv train` with a data directory that `change` has spoilt.
Outcome TrainOn(const std::string& data, const std::vector<std::string>& settings = {},
                int servers = 1) {
  LocalRun run(data, {servers, 1, settings, ""});
  const absl::StatusOr<ExitStatus> status = run.process().Wait(absl::Minutes(2));
  EXPECT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(run.process().output(), "");
  return {status.ok() && status->ok(), run.process().error()};
}

TEST(BadInput, AMissingDataFileIsNamed) {
  const TempDir empty;
  const Outcome outcome = TrainOn(empty.path());
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("neither " + empty.path() + "/train-"));
}

TEST(BadInput, ATruncatedDataFileAndAWrongMagicAreNamed) {
  for (const bool truncate : {true, false}) {
    const TempDir data;
    ASSERT_TRUE(WriteSyntheticIdx(data.path(), SyntheticOptions()).ok());
    const std::string path = data / "train-images-idx3-ubyte";
    std::string bytes = ReadFile(path);
    if (truncate) {
      bytes.resize(bytes.size() - 100);
    } else {
      bytes[3] = 9;
    }
    WriteFile(path, bytes);
    const Outcome outcome = TrainOn(data.path());
    EXPECT_FALSE(outcome.ok);
    EXPECT_THAT(outcome.error, HasSubstr("train-images-idx3-ubyte"));
  }
}

TEST(BadInput, EveryBrokenRuleOfTheJobIsListedBeforeAnythingStarts) {
  const Outcome outcome = TrainOn(SharedData(), {"training.tau=200", "training.slots=7"});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error,
              AllOf(HasSubstr("training.tau: must be ≤ 63, got 200"), HasSubstr("training.slots")));
  EXPECT_THAT(outcome.error, ::testing::Not(HasSubstr("coordinator:")));
}

TEST(BadInput, MoreShardsThanTensorsAreRefusedInWords) {
  const Outcome outcome = TrainOn(SharedData(), {}, 40);
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("40 shards for"));
}

TEST(BadInput, APatternThatMatchesNoTensorIsRefusedWithTheNearestName) {
  const Outcome outcome =
      TrainOn(SharedData(), {"optimizer.tensors={pattern: '*.wieght' frozen: true}"});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("optimizer.tensors[0].pattern: \"*.wieght\" matches no "
                                       "tensor of the model; the nearest is "));
}

TEST(BadInput, AGradientThatIsNotFiniteStopsTheRunAndNamesTheTensor) {
  const Outcome outcome =
      TrainOn(SharedData(), {"schedule.peak=1e30", "optimizer.sgd.momentum=0.99"});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("tensor "));
}

TEST(BadInput, AnUnreachableCoordinatorIsNamed) {
  for (const char* program : {"conadv-worker", "conadv-server"}) {
    std::vector<std::string> arguments = {BinaryPath(program), "--coordinator=127.0.0.1:1",
                                          "--connect_timeout=1"};
    if (program == std::string("conadv-server")) {
      arguments.insert(arguments.end(), {"--shard=1", "--shards=2"});
    }
    const Outcome outcome = RunToEnd(arguments);
    EXPECT_FALSE(outcome.ok);
    EXPECT_THAT(outcome.error, HasSubstr("127.0.0.1:1"));
  }
  const Outcome outcome =
      RunToEnd({BinaryPath("conadv"), "status", "--server=127.0.0.1:1", "--timeout=0.2"});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("127.0.0.1:1"));
}

TEST(BadInput, APortInUseIsNamed) {
  const TempDir directory;
  WriteFile(directory / "job.textproto", SmallJob(SharedData()));
  const std::string job = "--job=" + (directory / "job.textproto");
  Process first({BinaryPath("conadv-server"), job});
  const absl::StatusOr<std::string> address = first.ReadAfter("listening on ", absl::Minutes(1));
  ASSERT_TRUE(address.ok()) << address.status();
  const Outcome outcome = RunToEnd({BinaryPath("conadv-server"), job, "--listen=" + *address});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr(*address));
}

TEST(BadInput, AnEvictedVersionIsRefusedWithTheRetainedRange) {
  LocalRun run(SharedData(), {2, 1, {"training.steps=2000", "model.width=64"}, ""});
  const std::string server = "--server=" + run.Coordinator();
  const std::string out = "--out=" + run.out() + "/pulled.safetensors";
  // Version 50 was there, so version 1 is long gone.
  const Outcome pulled = RunToEnd({BinaryPath("conadv"), "pull", server, "--version=50", out});
  ASSERT_TRUE(pulled.ok) << pulled.error;
  const Outcome outcome = RunToEnd({BinaryPath("conadv"), "pull", server, "--version=1", out});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("no longer kept"));
  const Outcome past = RunToEnd({BinaryPath("conadv"), "pull", server, "--version=9999", out});
  EXPECT_FALSE(past.ok);
  EXPECT_THAT(past.error, HasSubstr("past the run's last"));
}

TEST(BadInput, AServerThatOthersCanReachNeedsASayOfIt) {
  const Outcome outcome = RunToEnd({BinaryPath("conadv-server"), "--listen=0.0.0.0:0", "--job=x"});
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.error, HasSubstr("--insecure"));
  const Outcome nowhere =
      RunToEnd({BinaryPath("conadv-server"), "--listen=0.0.0.0:0", "--insecure", "--job=x"});
  EXPECT_THAT(nowhere.error, HasSubstr("give --servers=HOST:PORT"));
}

}  // namespace
}  // namespace conadv
