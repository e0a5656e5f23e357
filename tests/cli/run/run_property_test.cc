// SPDX-License-Identifier: Apache-2.0
// Whatever happens, in whatever order: a run never acts on a process that is not there, always
// ends, and leaves nothing running. The first and the last are FakeRun's to check.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <random>
#include <string>

#include "cli/run/run_machine.h"
#include "tests/cli/run/fake_run.h"

namespace conadv {
namespace {

class RandomWorld {
 public:
  explicit RandomWorld(uint32_t seed)
      : random_(seed), run_(/*servers=*/1 + seed % 3, /*workers=*/1 + seed % 4, seed % 2 == 0) {}

  FakeRun& run() { return run_; }

  void Happen() {
    run_.now += absl::Milliseconds(Below(800));
    switch (Below(16)) {
      case 0: return EndSomebody();
      case 1: return Speak();
      case 2: run_.membership.finished = Below(4) == 0; break;
      case 3: run_.membership.joined = true; break;
      case 4:
        run_.membership.closed = Below(3) == 0;
        run_.membership.status = absl::UnavailableError("gone");
        break;
      case 5: return run_.Step(MembersSeen{Some(), Below(2) == 0 ? "slow" : ""});
      case 6:
      case 7:
      case 8: return run_.Records(version_, version_ + Below(3));
      case 9:
        version_ = Below(8);
        return run_.Step(MetricsArrived{{LineageBegins{version_, 1.0}}, 10, Below(2) == 0});
      case 10: version_ = 1 + Below(10); break;
      case 11: return Fetch();
      case 12:
        run_.metrics_disk =
            Below(2) == 0 ? absl::OkStatus() : absl::ResourceExhaustedError("no space left");
        break;
      case 13: run_.deaf = Some(); break;
      case 14: run_.broken = Below(30) == 0 ? Some() : std::set<std::string>(); break;
      default: return run_.Pass(absl::Milliseconds(Below(5000)));
    }
    run_.Step(Tick{});
  }

 private:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  std::set<std::string> Some() {
    std::set<std::string> some;
    for (const std::string& name : run_.running) {
      if (Below(2) == 0) some.insert(name);
    }
    return some;
  }

  std::string Somebody() {
    return *std::next(run_.running.begin(), Below(static_cast<uint32_t>(run_.running.size())));
  }

  void EndSomebody() {
    if (run_.running.empty()) return;
    const ExitStatus kinds[] = {{0, 0}, {1, 0}, {2, 0}, {0, 9}, {0, 9}, {0, 9}};
    // Servers that end with an error end the run: seldom.
    const std::string name = Somebody();
    const bool server = name.substr(0, 6) == "server";
    run_.Exit(name, server && Below(20) > 0 ? ExitStatus{0, 9} : kinds[Below(6)], "words");
  }

  void Speak() {
    if (run_.running.empty()) return;
    const char* const lines[] = {"listening on 127.0.0.1:7000", "the run is over", "", "hello"};
    run_.Step(ProcessWroteLine{Somebody(), lines[Below(4)]});
  }

  void Fetch() {
    int fetches = 0;
    for (const std::string& action : run_.actions) fetches += action.substr(0, 5) == "fetch";
    if (fetches == fetched_) return;
    fetched_ = fetches;
    const absl::Status pulled = Below(4) == 0   ? absl::UnavailableError("away")
                                : Below(9) == 0 ? absl::DeadlineExceededError("slow")
                                                : absl::OkStatus();
    run_.Step(WeightsFetched{
        pulled, 8 + Below(3), 1,
        Below(3) == 0 ? absl::ResourceExhaustedError("no space left") : absl::OkStatus()});
  }

  std::mt19937 random_;
  FakeRun run_;
  uint64_t version_ = 1;
  int fetched_ = 0;
};

TEST(RunProperty, WhateverHappensItEndsAndLeavesNothingRunning) {
  constexpr int kRuns = 200;
  constexpr int kEvents = 300;
  int events = 0;
  int done = 0;
  int failed = 0;
  int interrupted = 0;
  for (uint32_t seed = 0; seed < kRuns; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld world(seed);
    FakeRun& run = world.run();
    for (int i = 0; i < kEvents && !run.over(); ++i, ++events) world.Happen();
    // Whoever lost patience: twice is enough, and whoever does not listen is killed.
    run.Step(Interrupted{});
    run.Step(Interrupted{});
    run.Pass(absl::Minutes(2));
    ASSERT_TRUE(run.over()) << "it does not end";
    ASSERT_THAT(run.running, ::testing::IsEmpty());
    done += run.result->ok() ? 1 : 0;
    interrupted += absl::IsCancelled(run.result->status()) ? 1 : 0;
    failed += !run.result->ok() && !absl::IsCancelled(run.result->status()) ? 1 : 0;
    if (HasFailure()) return;
  }
  // Of every kind enough to have been looked at.
  EXPECT_GT(events, 5000);
  EXPECT_GT(done, 10);
  EXPECT_GT(failed, 10);
  EXPECT_GT(interrupted, 10);
}

}  // namespace
}  // namespace conadv
