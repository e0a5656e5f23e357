// SPDX-License-Identifier: Apache-2.0
// The order in which closed groups become versions, the same on every shard: the leader applies
// them as they close, a follower in the leader's order, so that a version means the same updates
// everywhere. Pure state; not thread-safe.
#ifndef CONADV_SERVER_SHARD_SEQUENCER_H_
#define CONADV_SERVER_SHARD_SEQUENCER_H_

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "common/base/ids.h"
#include "server/aggregate/aggregator.h"

namespace conadv {

class Sequencer {
 public:
  // In SYNC steps close in order by themselves, so every shard leads.
  explicit Sequencer(bool leads) : leads_(leads) {}

  void Close(ClosedGroup group) {
    if (leads_) order_.push_back(group.unit);
    ready_.emplace(group.unit, std::move(group));
  }
  // A follower hears the leader's next unit.
  void Append(const Unit& unit) { order_.push_back(unit); }

  // The group to apply next, if it has closed.
  std::optional<ClosedGroup> TakeNext() {
    if (order_.empty()) return std::nullopt;
    const auto found = ready_.find(order_.front());
    if (found == ready_.end()) return std::nullopt;
    order_.pop_front();
    ClosedGroup group = std::move(found->second);
    ready_.erase(found);
    return group;
  }
  // What a follower waits for: never refused for lack of memory, or nothing would ever be freed.
  std::optional<Unit> awaited() const {
    return order_.empty() ? std::nullopt : std::optional<Unit>(order_.front());
  }
  bool leads() const { return leads_; }

 private:
  const bool leads_;
  std::deque<Unit> order_;
  std::map<Unit, ClosedGroup> ready_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_SEQUENCER_H_
