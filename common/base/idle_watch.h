// SPDX-License-Identifier: Apache-2.0
// Who holds something while it sends or takes, and who of them does neither. Pure state; not
// thread-safe.
#ifndef CONADV_COMMON_BASE_IDLE_WATCH_H_
#define CONADV_COMMON_BASE_IDLE_WATCH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"

namespace conadv {

class IdleWatch {
 public:
  // Brings a holder to its end. Called once at most.
  using Evict = std::function<void()>;

  void Begin(uint64_t id, Evict evict, absl::Time now) { holders_[id] = {now, std::move(evict)}; }
  // It sent or took something.
  void OnProgress(uint64_t id, absl::Time now) {
    const auto holder = holders_.find(id);
    if (holder != holders_.end()) holder->second.progressed = now;
  }
  void End(uint64_t id) { holders_.erase(id); }
  // Of those who did nothing for `patience`. They hold what they hold until they end.
  void EvictIdle(absl::Time now, absl::Duration patience) {
    for (auto& [id, holder] : holders_) {
      if (holder.evict == nullptr || now - holder.progressed < patience) continue;
      std::exchange(holder.evict, nullptr)();
    }
  }

 private:
  struct Holder {
    absl::Time progressed;
    Evict evict;  // empty: it has been called
  };
  std::map<uint64_t, Holder> holders_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_IDLE_WATCH_H_
