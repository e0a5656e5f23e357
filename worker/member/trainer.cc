// SPDX-License-Identifier: Apache-2.0
#include "worker/member/trainer.h"

#include <glog/logging.h>

#include <algorithm>
#include <utility>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "worker/compute/rounded_compute.h"

namespace conadv {
namespace {

// Gradients that may be computed or on their way at once: every lane computes one while the one
// before is on the wire, and a unit makes two.
size_t PushWindow(int lanes) { return static_cast<size_t>(2 * lanes + 2); }

// Tasks that can wait: each stream's pass and the attack for each unit in hand, and a worker alone
// has all units of τ + 2 steps.
size_t QueueCapacity(const Job& job, int lanes) {
  const TrainingOptions& training = job.training;
  const size_t tasks = StreamsOf(training).size() + 1;
  return tasks * ((MostTau(job) + 2) * training.slots + 4 * static_cast<size_t>(lanes));
}

// Units whose examples may be there at once: enough for every lane's update and attack and for what
// the loaders are at; more as long as they are small, so that attacks can be made ahead of their
// updates, which keep their examples until then.
size_t LoadWindow(const TrainingSetup& setup, int lanes, int loaders) {
  constexpr size_t kSmall = size_t{256} << 20;  // bytes, of all
  const size_t images = setup.run.job.training.augmented_weight > 0 ? 2 : 1;
  const size_t unit =
      images * std::max<size_t>(setup.image_bytes, 1) * setup.run.job.training.slot_size();
  return std::max(static_cast<size_t>(2 * lanes + loaders), kSmall / unit);
}

PlanOptions PlanOptionsOf(const TrainingSetup& setup, int lanes, int loaders) {
  const TrainingOptions& training = setup.run.job.training;
  PlanOptions options;
  options.tau = training.tau;
  options.sync = training.sync();
  options.replays = training.replays;
  options.streams = StreamsOf(training);
  options.lanes = static_cast<size_t>(lanes);
  options.push_window = PushWindow(lanes);
  options.load_window = LoadWindow(setup, lanes, loaders);
  return options;
}

PullOptions PullOptionsOf(const WireOptions& wire) {
  PullOptions options;
  options.type = wire.weights;
  return options;
}

PushOptions PushOptionsOf(const WireOptions& wire) {
  PushOptions options;
  options.type = wire.gradients;
  return options;
}

std::unique_ptr<UnitCompute> Rounded(const TrainingSetup& setup, UnitCompute* compute) {
  const Job& job = setup.run.job;
  if (job.wire.gradients == ElementType::kFloat32) return nullptr;
  return std::make_unique<RoundedCompute>(job.seed, setup.layout, StreamsOf(job.training), compute);
}

}  // namespace

Trainer::Trainer(TrainingSetup setup, TrainerParts parts, ShardClients* clients)
    : setup_(std::move(setup)),
      name_(std::move(parts.name)),
      incarnation_(RandomIncarnation()),
      clients_(clients),
      gradients_(setup_.layout->total_size(), PushWindow(parts.lanes),
                 parts.gradients != nullptr ? parts.gradients : clients->gradients()),
      pull_(setup_.layout, clients->pointers(), clients->timer(), clients->statistics(),
            PullOptionsOf(setup_.run.job.wire)),
      push_(setup_.layout, StreamsOf(setup_.run.job.training), clients->pointers(),
            clients->timer(), clients->statistics(), PushOptionsOf(setup_.run.job.wire)),
      cache_(&pull_, MostVersionsBack(setup_.run.job) + 2, clients->statistics()),
      compute_(std::move(parts.compute)),
      rounded_(Rounded(setup_, compute_.get())),
      executor_(parts.lanes, QueueCapacity(setup_.run.job, parts.lanes), parts.prepare_thread,
                clients->statistics(), Clock::Real()),
      // What a lane waits for is the lane's time; of the loaders' own nobody keeps account.
      loaders_(parts.loaders, QueueCapacity(setup_.run.job, parts.lanes), parts.prepare_thread,
               /*statistics=*/nullptr, Clock::Real(), "loader"),
      pipeline_(PlanOptionsOf(setup_, parts.lanes, parts.loaders),
                setup_.run.job.training.slot_size(),
                {&cache_, &push_, rounded_ != nullptr ? rounded_.get() : compute_.get(), &executor_,
                 &loaders_, &gradients_, clients->statistics()},
                MakePipelineEvents()) {}

Trainer::~Trainer() { Stop(); }

PipelineEvents Trainer::MakePipelineEvents() {
  PipelineEvents events;
  events.done = [this](Unit unit, Lineage lineage) {
    ++units_done_;
    if (const auto to = session(lineage)) to->Done(unit);
  };
  events.failed = [this](Unit unit, Lineage lineage, const absl::Status& status) {
    LOG(ERROR) << unit << " failed: " << status.message();
    if (const auto to = session(lineage)) to->Failed(unit, std::string(status.message()));
  };
  events.broken = [this](const absl::Status& status) { events_.broken(status); };
  events.drained = [this] { events_.drained(); };
  return events;
}

SessionHello Trainer::Hello() const {
  SessionHello hello;
  hello.name = name_;
  hello.incarnation = incarnation_;
  hello.threads = static_cast<uint32_t>(executor_.lanes());
  hello.plan = setup_.plan;
  return hello;
}

void Trainer::Begin(std::shared_ptr<Session> session, const SessionWelcome& welcome) {
  clients_->SetLineage(welcome.lineage);
  MutexLock lock(&mutex_);
  session_ = std::move(session);
  lineage_ = welcome.lineage;
}

void Trainer::Offer() {
  push_.PushInitialWeights(setup_.plan, setup_.initial_weights,
                           [this, to = session()](const absl::Status& status) {
                             if (to == nullptr || to != session()) return;
                             status.ok() ? to->Offered() : events_.broken(status);
                           });
}

void Trainer::Grant(const std::vector<Unit>& units) {
  Lineage lineage;
  {
    MutexLock lock(&mutex_);
    lineage = lineage_;
  }
  pipeline_.Grant(units, lineage);
}

void Trainer::Drain() { pipeline_.Drain(); }

void Trainer::Drop() {
  {
    MutexLock lock(&mutex_);
    session_ = nullptr;
  }
  pipeline_.Drop();
  cache_.Clear();
  clients_->Reset();
}

void Trainer::Stop() {
  Drop();
  loaders_.Stop();
  executor_.Stop();
  clients_->Stop();
}

std::shared_ptr<Session> Trainer::session() const {
  MutexLock lock(&mutex_);
  return session_;
}

std::shared_ptr<Session> Trainer::session(Lineage lineage) const {
  MutexLock lock(&mutex_);
  return lineage == lineage_ ? session_ : nullptr;
}

}  // namespace conadv
