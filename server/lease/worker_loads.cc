// SPDX-License-Identifier: Apache-2.0
#include "server/lease/worker_loads.h"

namespace conadv {

// By held / threads, without rounding.
bool WorkerLoads::LessLoaded::operator()(const Load& a, const Load& b) const {
  const uint64_t left = a.held * b.threads;
  const uint64_t right = b.held * a.threads;
  return left != right ? left < right : a.id < b.id;
}

void WorkerLoads::Add(MemberId id, uint32_t threads) {
  Remove(id);
  const Load load{id, threads, 0, false};
  workers_.emplace(id, load);
  steady_.insert(load);
  threads_ += threads;
}

void WorkerLoads::Remove(MemberId id) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  OrderOf(worker->second).erase(worker->second);
  threads_ -= worker->second.threads;
  workers_.erase(worker);
}

void WorkerLoads::Change(MemberId id, int by) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  Order& order = OrderOf(worker->second);
  order.erase(worker->second);
  worker->second.held += by;
  order.insert(worker->second);
}

void WorkerLoads::SetStraggles(MemberId id, bool straggles) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || worker->second.straggles == straggles) return;
  OrderOf(worker->second).erase(worker->second);
  worker->second.straggles = straggles;
  OrderOf(worker->second).insert(worker->second);
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
