// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/run/fake_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

constexpr uint64_t kFinalVersion = 10;

Deployment DeploymentOf(uint32_t servers, uint32_t workers) {
  return {"/bin/s", "/bin/w", "out/a", servers, workers, 1, 1};
}

}  // namespace

FakeRun::FakeRun(uint32_t servers, uint32_t workers, bool replaces)
    : machine_(DeploymentOf(servers, workers), Job(), replaces, /*seed=*/1) {
  Feed(Begun{});
}

void FakeRun::Step(const RunEvent& event) {
  if (machine_.phase() >= RunPhase::kTraining) Feed(membership);
  Feed(event);
  Feed(Tick{});
}

void FakeRun::Pass(absl::Duration time) {
  Step(Tick{});
  for (const absl::Time until = now + time; now < until && !over();) {
    const absl::Time next = machine_.NextTick(now);
    ASSERT_GE(next, now) << "whoever drives it would wait for nothing, again and again";
    now = std::min({until, std::max(next, now + absl::Milliseconds(1)), now + absl::Seconds(1)});
    std::set<std::string> members = running;
    for (const std::string& name : silent) members.erase(name);
    const bool coordinator = running.count("server-0") > 0;
    if (answers && coordinator && machine_.phase() > RunPhase::kNotListening) {
      Feed(MembersSeen{members, ""});
    }
    Step(Tick{});
  }
}

void FakeRun::Begin() {
  Step(ProcessWroteLine{"server-0", "listening on 127.0.0.1:7000"});
  membership.joined = true;
  Pass(absl::Seconds(1));
}

void FakeRun::Train(uint64_t version) {
  Begin();
  Feed(MetricsArrived{{LineageBegins{0, 0}}, kFinalVersion, true});
  Records(1, version);
}

void FakeRun::Records(uint64_t from, uint64_t to) {
  MetricsArrived arrived{{}, kFinalVersion, true};
  for (uint64_t version = from; version <= to; ++version) {
    v1::MetricsRecord record;
    record.mutable_step()->set_version(version);
    record.mutable_step()->set_seconds(static_cast<double>(version));
    arrived.items.emplace_back(std::move(record));
  }
  Step(arrived);
}

void FakeRun::FinishTraining() {
  Train(kFinalVersion);
  v1::MetricsRecord record;
  record.mutable_evaluation()->set_version(kFinalVersion);
  record.mutable_evaluation()->set_clean_accuracy(0.5);
  Step(MetricsArrived{{record}, kFinalVersion, false});
  membership.finished = true;
  Step(Tick{});
}

void FakeRun::Exit(const std::string& process, ExitStatus exit, const std::string& last_words) {
  ASSERT_EQ(running.erase(process), 1U) << process;
  Step(ProcessExited{process, exit, last_words});
}

void FakeRun::Fetched(uint64_t version, const absl::Status& written) {
  Step(WeightsFetched{absl::OkStatus(), version, 0xabc, written});
}

bool FakeRun::Said(const std::string& part) const {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const std::string& note) { return absl::StrContains(note, part); });
}

int FakeRun::Count(const std::string& action) const {
  return static_cast<int>(std::count(actions.begin(), actions.end(), action));
}

void FakeRun::Feed(const RunEvent& event) {
  outcomes_.push_back(event);
  for (; !outcomes_.empty(); outcomes_.pop_front()) {
    if (const auto* failed = std::get_if<ProcessNotStarted>(&outcomes_.front())) {
      not_started_.erase(failed->process);
    }
    const std::vector<RunAction> wanted = machine_.Step(outcomes_.front(), now);
    EXPECT_TRUE(wanted.empty() || !over()) << "an action after the end";
    for (const RunAction& action : wanted) Do(action);
  }
}

void FakeRun::Do(const RunAction& action) {
  if (const auto* start = std::get_if<StartProcess>(&action)) {
    const std::string& name = start->spec.name;
    actions.push_back(absl::StrCat("start ", name));
    specs[name] = start->spec;
    EXPECT_EQ(running.count(name), 0U) << name << " is started, but runs";
    if (broken.count(name) == 0) {
      running.insert(name);
      return;
    }
    not_started_.insert(name);
    outcomes_.push_back(ProcessNotStarted{name, absl::NotFoundError(name + " cannot start")});
  } else if (const auto* end = std::get_if<TerminateProcess>(&action)) {
    actions.push_back(absl::StrCat("terminate ", end->process));
    EXPECT_EQ(running.count(end->process) + not_started_.count(end->process), 1U) << end->process;
    if (deaf.count(end->process) > 0 || running.erase(end->process) == 0) return;
    outcomes_.push_back(ProcessExited{end->process, {}, ""});
  } else if (const auto* kill = std::get_if<KillProcess>(&action)) {
    actions.push_back(absl::StrCat("kill ", kill->process));
    EXPECT_EQ(running.erase(kill->process) + not_started_.count(kill->process), 1U)
        << kill->process;
    outcomes_.push_back(ProcessExited{kill->process, {0, 9}, ""});
  } else if (std::holds_alternative<FollowRun>(action)) {
    actions.push_back("follow");
  } else if (std::holds_alternative<JoinAgain>(action)) {
    actions.push_back("join again");
    membership = {};
  } else if (std::holds_alternative<StopMetrics>(action)) {
    actions.push_back("stop metrics");
  } else if (std::holds_alternative<LeaveRun>(action)) {
    actions.push_back("leave");
  } else if (std::holds_alternative<Disconnect>(action)) {
    actions.push_back("disconnect");
  } else if (const auto* fetch = std::get_if<FetchWeights>(&action)) {
    actions.push_back(absl::StrCat("fetch ", absl::FormatDuration(fetch->timeout)));
  } else if (std::holds_alternative<WriteMetrics>(action)) {
    outcomes_.push_back(MetricsWritten{metrics_disk, metrics_disk.ok() ? 0U : 3U});
  } else if (std::holds_alternative<DropEarlierRun>(action)) {
    actions.push_back("drop the earlier run");
    outcomes_.push_back(EarlierRunDropped{absl::OkStatus(), false});
  } else if (std::holds_alternative<FindCheckpoint>(action)) {
    outcomes_.push_back(CheckpointFound{checkpoint});
  } else if (const auto* note = std::get_if<ShowNote>(&action)) {
    notes.push_back(note->text);
  } else if (const auto* end_run = std::get_if<EndRun>(&action)) {
    EXPECT_TRUE(running.empty()) << *running.begin() << " is left running";
    result = end_run->result;
  }
}

}  // namespace conadv
