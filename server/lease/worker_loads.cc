// SPDX-License-Identifier: Apache-2.0
#include "server/lease/worker_loads.h"

#include <algorithm>

namespace conadv {

// By held / threads, without rounding.
bool WorkerLoads::LessLoaded::operator()(const Load& a, const Load& b) const {
  const uint64_t left = a.held * b.threads;
  const uint64_t right = b.held * a.threads;
  return left != right ? left < right : a.id < b.id;
}

// By turns / threads, likewise.
bool WorkerLoads::FewerTurns::operator()(const Load& a, const Load& b) const {
  const uint64_t left = a.turns * b.threads;
  const uint64_t right = b.turns * a.threads;
  return left != right ? left < right : a.id < b.id;
}

void WorkerLoads::Insert(const Load& load) {
  (load.straggles ? straggling_ : steady_).insert(load);
  (load.straggles ? straggling_turns_ : steady_turns_).insert(load);
}

void WorkerLoads::Erase(const Load& load) {
  (load.straggles ? straggling_ : steady_).erase(load);
  (load.straggles ? straggling_turns_ : steady_turns_).erase(load);
}

void WorkerLoads::CatchUp(Load* load) const {
  if (steady_turns_.empty()) return;
  const Load& next = *steady_turns_.begin();
  load->turns = std::max(load->turns, next.turns * load->threads / next.threads);
}

void WorkerLoads::Add(MemberId id, uint32_t threads) {
  Remove(id);
  Load load;
  load.id = id;
  load.threads = threads;
  CatchUp(&load);
  workers_.emplace(id, load);
  Insert(load);
  threads_ += threads;
}

void WorkerLoads::Remove(MemberId id) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  Erase(worker->second);
  threads_ -= worker->second.threads;
  workers_.erase(worker);
}

void WorkerLoads::Change(MemberId id, int by) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  Erase(worker->second);
  worker->second.held += by;
  Insert(worker->second);
}

void WorkerLoads::SetStraggles(MemberId id, bool straggles) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || worker->second.straggles == straggles) return;
  Erase(worker->second);
  worker->second.straggles = straggles;
  if (!straggles) CatchUp(&worker->second);
  Insert(worker->second);
}

std::optional<MemberId> WorkerLoads::NextInTurn() const {
  const Turns& turns = steady_turns_.empty() ? straggling_turns_ : steady_turns_;
  return turns.empty() ? std::nullopt : std::optional<MemberId>(turns.begin()->id);
}

void WorkerLoads::EndTurn(MemberId id) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  Erase(worker->second);
  ++worker->second.turns;
  Insert(worker->second);
}

std::optional<MemberId> WorkerLoads::Next(const TrainingOptions& training,
                                          const LeaseOptions& options) const {
  const Order& order = steady_.empty() ? straggling_ : steady_;
  if (order.empty()) return std::nullopt;
  // What a worker may hold is the same for each of its threads, whoever it is: if the least loaded
  // may hold no more, nobody may.
  const Load& least = *order.begin();
  const bool room =
      training.sync() ? least.held * threads_ < (options.window + 1) * options.slots * least.threads
                      : least.held < 2 * least.threads;
  return room ? std::optional<MemberId>(least.id) : std::nullopt;
}

std::optional<MemberId> WorkerLoads::Another(MemberId not_this) const {
  if (workers_.empty()) return std::nullopt;
  std::optional<Load> best;
  for (const Order* order : {&steady_, &straggling_}) {
    auto least = order->begin();
    if (least != order->end() && least->id == not_this) ++least;
    if (least == order->end()) continue;
    if (!best.has_value() || LessLoaded()(*least, *best)) best = *least;
  }
  return best.has_value() ? best->id : not_this;
}

std::optional<MemberId> WorkerLoads::Substitute(const std::set<MemberId>& holders) const {
  for (const Load& load : steady_) {
    if (holders.count(load.id) == 0) return load.id;
  }
  return std::nullopt;
}

}  // namespace conadv
