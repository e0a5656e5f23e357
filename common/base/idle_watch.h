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
  using LetGo = std::function<void()>;

  void Begin(uint64_t id, LetGo let_go, absl::Time now) { holders_[id] = {now, std::move(let_go)}; }
  // It sent or took something.
  void Move(uint64_t id, absl::Time now) {
    const auto holder = holders_.find(id);
    if (holder != holders_.end()) holder->second.moved = now;
  }
  void End(uint64_t id) { holders_.erase(id); }
  // Of those who did nothing for `patience`. They hold what they hold until they end.
  void LetGoOfIdle(absl::Time now, absl::Duration patience) {
    for (auto& [id, holder] : holders_) {
      if (holder.let_go == nullptr || now - holder.moved < patience) continue;
      std::exchange(holder.let_go, nullptr)();
    }
  }

 private:
  struct Holder {
    absl::Time moved;
    LetGo let_go;  // empty: it was let go
  };
  std::map<uint64_t, Holder> holders_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_IDLE_WATCH_H_
