// SPDX-License-Identifier: Apache-2.0
#include "tests/server/coordinate/machine_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

constexpr size_t kMostViewed = 16;  // workers
// Less than any worker is waited for (Pace).
constexpr absl::Duration kShortestPatience = absl::Milliseconds(500);

Plan PlanOf(const MachineModel::Options& options) {
  Plan plan;
  plan.tensors = {{"weight", {4, 4}}};
  plan.examples = 8 * options.slots;
  plan.steps = options.steps;
  return plan;
}

}  // namespace

CoordinatorOptions MachineModel::OptionsOf(const Options& options) {
  CoordinatorOptions coordinator;
  coordinator.job.training.global_batch = 8 * options.slots;
  coordinator.job.training.slots = options.slots;
  coordinator.job.training.steps = options.steps;
  coordinator.job.training.tau = 1;
  coordinator.job.server.lease = absl::Seconds(10);
  coordinator.job.evaluation.every = 3;
  coordinator.job.evaluation.attack_steps = 1;
  coordinator.evaluator_patience = absl::Seconds(5);
  return coordinator;
}

MachineModel::MachineModel(const Options& options)
    : options_(options),
      random_(options.seed, Purpose::kPermutation),
      machine_(OptionsOf(options), now_) {
  HelloMessage hello;
  hello.role = Role::kShard;
  hello.name = "server-0";
  hello.address = "127.0.0.1:1";
  hello.local = true;
  shard_ = MemberId(1);
  Step(JoinEvent{hello}).IgnoreError();
  Step(RestoredEvent{shard_, absl::OkStatus(), std::nullopt}).IgnoreError();
  HelloMessage evaluator;
  evaluator.role = Role::kEvaluator;
  Step(JoinEvent{evaluator}).IgnoreError();
  for (size_t i = 0; i < options.workers; ++i) Join();
}

absl::Status MachineModel::Step(Event event) {
  const auto* const join = std::get_if<JoinEvent>(&event);
  const std::optional<Role> role =
      join != nullptr ? std::optional<Role>(join->hello.role) : std::nullopt;
  CoordinatorMachine::Output output = machine_.Step(std::move(event), now_);
  if (output.joined.has_value() && role == Role::kWorker) {
    workers_[*output.joined].answered = now_;
    order_.push_back(*output.joined);
  }
  if (output.joined.has_value() && role == Role::kEvaluator) evaluator_ = output.joined;
  for (const Action& action : output.actions) Do(action);
  return output.status;
}

void MachineModel::Do(const Action& action) {
  if (const auto* const close = std::get_if<CloseAction>(&action)) {
    Mix(close->member.value());
    if (close->member == evaluator_) {
      evaluator_.reset();
      evaluates_.reset();
    } else if (close->member != shard_ && workers_.erase(close->member) == 0) {
      Wrong(absl::StrCat("closes member ", close->member.value(), ", which is none"));
    }
    if (offers_ == close->member) offers_.reset();
    return;
  }
  const SendAction& send = std::get<SendAction>(action);
  Mix(send.to.value() * 16 + send.message.index());
  const auto worker = workers_.find(send.to);
  const bool known = worker != workers_.end() || send.to == shard_ || send.to == evaluator_;
  if (!known) Wrong(absl::StrCat("sends to member ", send.to.value(), ", which is none"));
  if (const auto* const checkpoint = std::get_if<CheckpointMessage>(&send.message)) {
    writes_.push_back(checkpoint->version);
  } else if (const auto* const evaluate = std::get_if<EvaluateMessage>(&send.message)) {
    evaluates_ = evaluate->version;
  } else if (std::holds_alternative<OfferMessage>(send.message)) {
    offers_ = send.to;
  } else if (std::holds_alternative<FinishedMessage>(send.message)) {
    if (complete_ < options_.steps) Wrong("sends members home before the last step");
    if (worker != workers_.end()) worker->second.leaves = true;
    if (send.to == evaluator_) evaluator_leaves_ = true;
  } else if (const auto* const grant = std::get_if<GrantMessage>(&send.message)) {
    if (worker == workers_.end()) return Wrong("grants units to a member that is no worker");
    Grant(worker->second, send.to, grant->units);
  }
}

void MachineModel::Grant(Worker& worker, MemberId id, const std::vector<Unit>& units) {
  for (const Unit& unit : units) {
    Mix(unit.step.value() * options_.slots + unit.slot.value());
    if (done_.count(unit) > 0) Wrong(absl::StrCat("grants ", unit.ToString(), ", which is done"));
    if (unit.step.value() > complete_ + 2) {
      Wrong(absl::StrCat("grants ", unit.ToString(), " at step ", complete_, ": past the window"));
    }
    // What a worker holds goes to another only once it has answered nothing for a while.
    for (const MemberId holder : holders_[unit]) {
      const auto other = workers_.find(holder);
      if (other != workers_.end() && now_ - other->second.answered < kShortestPatience) {
        Wrong(absl::StrCat("grants ", unit.ToString(), " though member ", holder.value(),
                           " works on it"));
      }
    }
    if (holders_[unit].insert(id).second) worker.held.push_back(unit);
  }
  if (worker.leaves) Wrong(absl::StrCat("grants units to member ", id.value(), ", sent home"));
}

void MachineModel::Play(uint64_t events) {
  for (uint64_t i = 0; i < events && wrong_.empty() && !machine_.over(); ++i) Once();
}

std::map<MemberId, MachineModel::Worker>::iterator MachineModel::Any() {
  while (!order_.empty()) {
    const size_t index = random_.Below(order_.size());
    const auto worker = workers_.find(order_[index]);
    if (worker != workers_.end()) return worker;
    order_[index] = order_.back();
    order_.pop_back();
  }
  return workers_.end();
}

void MachineModel::Once() {
  const uint64_t dice = random_.Below(1000);
  const auto any = Any();
  if (any != workers_.end() && any->second.leaves) return Vanish(any->first);
  if (offers_.has_value() && dice < 100) {
    const MemberId offers = *std::exchange(offers_, std::nullopt);
    Step(OfferedEvent{offers}).IgnoreError();
  } else if (complete_ < options_.steps &&
             (any == workers_.end() || (workers_.size() < options_.workers && dice < 60))) {
    Join();
  } else if (any == workers_.end()) {
    dice < 300 ? Evaluate() : dice < 600 ? Write() : Tick();
  } else if (dice < 64) {
    Vanish(any->first);
  } else if (dice < 66) {
    any->second.frozen = true;
  } else if (dice < 70) {
    Fail(any->first, any->second);
  } else if (dice < 80) {
    Evaluate();
  } else if (dice < 90) {
    Write();
  } else if (dice < 120) {
    Tick();
  } else if (dice < 300) {
    Step(HeartbeatEvent{any->first, random_.Next64()}).IgnoreError();
  } else {
    Work(any->first, any->second);
  }
}

void MachineModel::Tick() {
  now_ += absl::Milliseconds(random_.Below(100));
  Step(HeartbeatEvent{shard_, 0}).IgnoreError();
  Step(TickEvent{}).IgnoreError();
}

void MachineModel::Join() {
  HelloMessage hello;
  hello.name = "worker";
  hello.plan = PlanOf(options_);
  hello.threads = 1 + random_.Below(2);
  Step(JoinEvent{hello}).IgnoreError();
}

void MachineModel::Work(MemberId id, Worker& worker) {
  if (worker.frozen || worker.held.empty()) return;
  std::vector<Unit> units = {worker.held.front()};
  worker.held.pop_front();
  // In sync mode only what belongs to the oldest step can be computed: the weights of later ones do
  // not exist.
  if (units.front().step.value() > complete_) {
    worker.held.push_back(units.front());
    return;
  }
  worker.answered = now_;
  holders_[units.front()].erase(id);
  if (random_.Below(50) == 0) units.push_back(units.front());
  const uint64_t before = complete_;
  Count(units.front());
  Step(DoneEvent{id, std::move(units)}).IgnoreError();
  for (uint64_t version = before + 1; version <= complete_; ++version) {
    Step(PublishedEvent{Version(version)}).IgnoreError();
  }
  if (complete_ > before && complete_ == options_.steps) writes_.push_back(Version(complete_));
  if (options_.workers > kMostViewed) return;  // a view lists every member
  const uint64_t step = machine_.View(now_).step.value();
  if (machine_.failure().ok() && step != complete_) {
    Wrong(absl::StrCat("is at step ", step, " instead of ", complete_));
  }
}

void MachineModel::Count(const Unit& unit) {
  if (!done_.insert(unit).second) return;
  ++done_of_step_[unit.step.value()];
  while (done_of_step_[complete_] == options_.slots) {
    done_of_step_.erase(complete_);
    ++complete_;
  }
}

void MachineModel::Fail(MemberId id, Worker& worker) {
  if (worker.held.empty() || !failed_.insert(worker.held.front()).second) return;
  const Unit unit = worker.held.front();
  worker.held.pop_front();
  worker.answered = now_;
  holders_[unit].erase(id);
  Step(FailedEvent{id, unit, "broken"}).IgnoreError();
}

void MachineModel::Vanish(MemberId id) {
  workers_.erase(id);
  if (offers_ == id) offers_.reset();
  Step(GoneEvent{id}).IgnoreError();
}

void MachineModel::Evaluate() {
  if (!evaluator_.has_value()) return;
  if (evaluator_leaves_) {
    const MemberId id = *std::exchange(evaluator_, std::nullopt);
    Step(GoneEvent{id}).IgnoreError();
    return;
  }
  Step(HeartbeatEvent{*evaluator_, random_.Next64()}).IgnoreError();
  if (!evaluates_.has_value()) return;
  EvaluationResult result;
  result.version = *std::exchange(evaluates_, std::nullopt);
  result.examples = 10;
  result.robust_accuracy = 0.5;
  const absl::Status status = Step(EvaluatedEvent{result});
  if (!status.ok()) Wrong(status.ToString());
}

void MachineModel::Write() {
  if (writes_.empty()) return;
  const Version version = writes_.front();
  writes_.pop_front();
  const bool missed = version.value() < complete_ && random_.Below(4) == 0;
  Step(CheckpointedEvent{shard_, {version, "", missed, absl::Milliseconds(1)}}).IgnoreError();
}

void MachineModel::Wrong(const std::string& what) {
  if (wrong_.empty()) wrong_ = absl::StrCat("seed ", options_.seed, ": ", what);
}

void MachineModel::Mix(uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001b3 + 1; }

}  // namespace conadv
