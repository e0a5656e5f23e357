// SPDX-License-Identifier: Apache-2.0
// conadv pull --watch beside a real run.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/tensor/safetensors.h"
#include "tests/integration/local_run.h"
#include "tests/support/children.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

constexpr int kEvery = 10;
constexpr int kSteps = 95;

Process Watch(const std::string& coordinator, const std::string& out) {
  return Process({BinaryPath("conadv"), "pull", "--watch", absl::StrCat("--every=", kEvery),
                  "--server=" + coordinator, "--out=" + out, "--json"});
}

// Crc by version, of the lines that a watch printed. The last one of a version counts.
std::map<int, std::string> Written(const std::string& output) {
  std::map<int, std::string> crcs;
  for (const absl::string_view line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
    const nlohmann::json file = nlohmann::json::parse(line);
    crcs[file["version"]] = file["weights_crc32c"];
  }
  return crcs;
}

// The first and the last of each range that the watch says it left out.
std::vector<std::pair<int, int>> LeftOut(const std::string& notes) {
  std::vector<std::pair<int, int>> ranges;
  for (const absl::string_view line : absl::StrSplit(notes, '\n')) {
    int first = 0, last = 0;
    if (std::sscanf(std::string(line).c_str(), "left out: versions %d to %d", &first, &last) == 2) {
      ranges.emplace_back(first, last);
    }
  }
  return ranges;
}

// A watched run, with a server killed in the middle or not.
std::map<int, std::string> WatchRun(bool kill_server) {
  LocalRun run(SharedData(), {2,
                              2,
                              {absl::StrCat("training.steps=", kSteps),
                               "server.checkpoint_every=10", "server.retain=40"},
                              "",
                              {}});
  const TempDir directory;
  const std::string out = directory / "versions";
  Process watch = Watch(run.Coordinator(), out);
  if (kill_server) {
    for (int version = 0; version < 30;) {
      const absl::StatusOr<std::string> line = watch.ReadLine(kPatience);
      if (!line.ok()) break;
      version = nlohmann::json::parse(*line)["version"];
    }
    const pid_t pid = FindChild(run.process().pid(), "--shard=0");
    EXPECT_GT(pid, 0);
    if (pid > 0) kill(pid, SIGKILL);
  }
  run.Finish();
  const absl::StatusOr<ExitStatus> end = watch.Wait(kPatience);
  EXPECT_TRUE(end.ok() && end->ok()) << watch.error();
  std::map<int, std::string> written = Written(watch.output());
  for (const auto& [version, crc] : written) {
    const auto file =
        DecodeSafetensors(ReadFile(absl::StrCat(out, "/version-", version, ".safetensors")));
    EXPECT_TRUE(file.ok()) << file.status();
    if (!file.ok()) continue;
    EXPECT_EQ(file->metadata.at("version"), absl::StrCat(version));
    EXPECT_EQ(file->metadata.at("weights_crc32c"), crc);
    EXPECT_TRUE(version % kEvery == 0 || version == kSteps) << version;
  }
  const std::vector<std::pair<int, int>> left_out = LeftOut(watch.error());
  for (int version = written.begin()->first; version < kSteps; version += kEvery) {
    const bool told = std::any_of(left_out.begin(), left_out.end(), [&](const auto& range) {
      return range.first <= version && version <= range.second;
    });
    EXPECT_TRUE(told || written.count(version) == 1) << version << "\n" << watch.error();
  }
  EXPECT_EQ(written[kSteps], run.crc());
  EXPECT_EQ(nlohmann::json::parse(ReadFile(out + "/latest.json"))["version"], kSteps);
  return written;
}

TEST(PullWatch, WritesTheRunsVersionsAndTheSameThoughAServerIsKilled) {
  const std::map<int, std::string> plain = WatchRun(false);
  const std::map<int, std::string> faulted = WatchRun(true);
  for (const auto& [version, crc] : faulted) {
    const auto same = plain.find(version);
    if (same != plain.end()) {
      EXPECT_EQ(crc, same->second) << version;
    }
  }
}

bool IsMember(const std::string& coordinator, const std::string& name) {
  Process workers({BinaryPath("conadv"), "workers", "--json", "--server=" + coordinator});
  const absl::StatusOr<ExitStatus> end = workers.Wait(kPatience);
  if (!end.ok() || !end->ok()) return false;
  const nlohmann::json answer = nlohmann::json::parse(workers.output());
  for (const auto& member : answer["members"]) {
    if (member["name"] == name) return true;
  }
  return false;
}

// The lineage that a run goes back to makes its own versions: none of the dead one's stays. Here it
// goes back to the initial version, the only one that has a checkpoint.
TEST(PullWatch, WhatComesAfterARollBackIsOfTheNewLineage) {
  LocalRun run(SharedData(), {1,
                              2,
                              {"training.steps=490", "training.consistency=ASYNC",
                               "server.checkpoint_every=1000000", "server.retain=2000"},
                              "",
                              {}});
  const TempDir directory;
  Process watch = Watch(run.Coordinator(), directory.path());
  int version = 0;
  while (version < 100) {
    const absl::StatusOr<std::string> line = watch.ReadLine(kPatience);
    ASSERT_TRUE(line.ok()) << line.status() << watch.error();
    version = nlohmann::json::parse(*line)["version"];
  }
  const pid_t pid = FindChild(run.process().pid(), "--shard=0");
  ASSERT_GT(pid, 0);
  kill(pid, SIGKILL);
  run.Finish();
  const absl::StatusOr<ExitStatus> end = watch.Wait(kPatience);
  ASSERT_TRUE(end.ok() && end->ok()) << watch.error();
  int restored = -1;
  for (const absl::string_view line : absl::StrSplit(watch.error(), '\n')) {
    std::sscanf(std::string(line).c_str(), "the run went back to version %d", &restored);
  }
  ASSERT_EQ(restored, 0) << watch.error() << run.process().error() << watch.output();
  // In the order of the lines: after the roll-back every multiple comes once more, or is told of.
  std::vector<int> again;
  int before = 0;
  bool back = false;
  for (const absl::string_view line : absl::StrSplit(watch.output(), '\n', absl::SkipEmpty())) {
    const int written = nlohmann::json::parse(line)["version"];
    back = back || written < before;
    if (back) again.push_back(written);
    before = written;
  }
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again.front(), kEvery) << watch.error();
}

TEST(PullWatch, EndsWhenItIsInterruptedWhileItWaits) {
  LocalRun run(SharedData(), {1, 1, {"training.steps=1000000000"}, "", {}});
  const std::string coordinator = run.Coordinator();
  const TempDir directory;
  // From version 1 on the next one is the last, which is far away.
  Process watch({BinaryPath("conadv"), "pull", "--watch", "--every=1000000000", "--json",
                 "--server=" + coordinator, "--out=" + directory.path()});
  const std::string name = absl::StrCat("conadv-", watch.pid());
  while (watch.running() && !IsMember(coordinator, name)) {
  }
  watch.Signal(SIGINT);
  const absl::StatusOr<ExitStatus> end = watch.Wait(kPatience);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->ok()) << end->ToString() << watch.error();
}

TEST(EvalOfARun, MeasuresItsWeightsWhileItTrains) {
  LocalRun run(SharedData(), {1, 1, {"training.steps=1000000000"}, "", {}});
  Process eval({BinaryPath("conadv"), "eval", "--server=" + run.Coordinator(), "--json",
                "--threads=1", "--set", "evaluation.limit=16"});
  const absl::StatusOr<ExitStatus> end = eval.Wait(kPatience);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->ok()) << end->ToString() << eval.error();
  EXPECT_TRUE(nlohmann::json::parse(eval.output()).contains("clean_accuracy")) << eval.output();
}

}  // namespace
}  // namespace conadv
