// SPDX-License-Identifier: Apache-2.0
#include "cli/train/run_driver.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "cli/results/run_directory.h"
#include "cli/results/run_paths.h"
#include "common/base/random.h"
#include "common/wire/channel.h"

namespace conadv {

RunDriver::RunDriver(const Deployment& deployment, const Job& job, Supervisor* supervisor,
                     ProgressDisplay* display, EarlierRun* earlier, const FileSystem* files,
                     const Clock* clock)
    : directory_(deployment.directory),
      servers_(deployment.servers),
      supervisor_(supervisor),
      display_(display),
      earlier_(earlier),
      files_(files),
      clock_(clock),
      machine_(deployment, job, earlier->aside(), RandomIncarnation().value()),
      logs_(files),
      weights_(WeightsPath(directory_), job.optimizer.average.has_value(), files,
               [supervisor] { supervisor->Wake(); }),
      metrics_(directory_, job.training, files, clock,
               [display](const std::string& text) { display->Note(text); }) {}

absl::StatusOr<RunResult> RunDriver::Run() {
  Step(Begun{});
  while (!result_.has_value()) {
    const ProcessEvent event = supervisor_->Next(NextDeadline());
    // Whether it ended before the run did.
    if (observer_ != nullptr) {
      const Observer::State state = observer_->state();
      Step(MembershipSeen{state.joined, state.finished, state.closed, state.status});
    }
    StepProcess(event);
    if (metrics_.follows()) Step(metrics_.Take());
    if (members_ != nullptr) {
      if (auto answer = members_->Take()) Step(MembersSeen{answer->members, answer->warning});
    }
    if (const auto fetched = weights_.Take()) Step(*fetched);
    Step(Tick{});
  }
  return *std::move(result_);
}

absl::Time RunDriver::NextDeadline() const {
  const absl::Time now = clock_->Now();
  const absl::Time deadline = machine_.NextTick(now);
  if (machine_.phase() >= RunPhase::kLastRecords) return deadline;
  return std::min(deadline, std::max(display_->next(), now + absl::Milliseconds(10)));
}

void RunDriver::Step(const RunEvent& event) {
  Outcomes events = {event};
  for (; !events.empty(); events.pop_front()) {
    for (const RunAction& action : machine_.Step(events.front(), clock_->Now())) {
      std::visit([&](const auto& what) { Do(what, &events); }, action);
    }
  }
}

void RunDriver::StepProcess(const ProcessEvent& event) {
  switch (event.kind) {
    case ProcessEvent::Kind::kLine: return Step(ProcessWroteLine{event.process, event.line});
    case ProcessEvent::Kind::kExit:
      return Step(ProcessExited{event.process, event.exit, logs_.LastWords(event.process)});
    case ProcessEvent::Kind::kInterrupted: return Step(Interrupted{event.signal});
    case ProcessEvent::Kind::kWoken:
    case ProcessEvent::Kind::kTimeout: return;
  }
}

void RunDriver::Do(const StartProcess& action, Outcomes* outcomes) {
  logs_.OnStart(action.spec);
  const absl::Status started = supervisor_->Start(action.spec);
  if (!started.ok()) outcomes->push_back(ProcessNotStarted{action.spec.name, started});
}

void RunDriver::Do(const TerminateProcess& action, Outcomes*) {
  supervisor_->Terminate(action.process);
}

void RunDriver::Do(const KillProcess& action, Outcomes*) { supervisor_->Kill(action.process); }

void RunDriver::Do(const FollowRun& action, Outcomes* outcomes) {
  Do(JoinAgain{action.coordinator}, outcomes);
  metrics_.Follow(action.coordinator, [this] { supervisor_->Wake(); });
  members_ = std::make_unique<MemberPoll>(MakeChannel(action.coordinator));
}

void RunDriver::Do(const JoinAgain& action, Outcomes*) {
  observer_ = std::make_unique<Observer>(MakeChannel(action.coordinator), &timer_,
                                         [this] { supervisor_->Wake(); });
}

void RunDriver::Do(const StopMetrics&, Outcomes*) { metrics_.Stop(); }

void RunDriver::Do(const LeaveRun&, Outcomes*) { observer_->Leave(); }

void RunDriver::Do(const Disconnect&, Outcomes*) {
  metrics_.Stop();
  members_.reset();
  observer_.reset();
}

void RunDriver::Do(const FetchWeights& action, Outcomes*) {
  weights_.Begin(action.coordinator, action.timeout);
}

void RunDriver::Do(const WriteMetrics&, Outcomes* outcomes) {
  outcomes->push_back(metrics_.Write());
}

void RunDriver::Do(const DropEarlierRun&, Outcomes* outcomes) {
  const absl::Status dropped = earlier_->Drop();
  outcomes->push_back(EarlierRunDropped{dropped, earlier_->aside()});
}

void RunDriver::Do(const FindCheckpoint&, Outcomes* outcomes) {
  outcomes->push_back(CheckpointFound{NewestCheckpoint(directory_, servers_, *files_)});
}

void RunDriver::Do(const ShowNote& action, Outcomes*) { display_->Note(action.text); }

void RunDriver::Do(const ShowProgress& action, Outcomes*) {
  if (action.last) {
    display_->ShowLast(machine_.progress(), clock_->Now());
  } else {
    display_->Show(machine_.progress(), clock_->Now());
  }
}

void RunDriver::Do(const EndRun& action, Outcomes*) { result_ = action.result; }

}  // namespace conadv
