// SPDX-License-Identifier: Apache-2.0
// The server that this process runs now, for those who look at it from outside: one Server follows
// another, with a time in between without any. Thread-safe.
#ifndef CONADV_SERVER_OBSERVE_SERVER_WINDOW_H_
#define CONADV_SERVER_OBSERVE_SERVER_WINDOW_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "common/thread/mutex.h"
#include "server/rpc/inspect/views.h"

namespace conadv {

class ServerWindow {
 public:
  // Called at each Close, before the parts go. Set it before anything else.
  void SetLastLook(std::function<void(const ServerParts&)> look) { last_look_ = std::move(look); }

  // What the parts point to stays until Close has returned.
  void Open(const ServerParts& parts) {
    MutexLock lock(&mutex_);
    parts_ = parts;
  }
  // Calls `look` with the parts, or nullptr and what there is to say instead.
  template <class Look>
  auto With(const Look& look) {
    std::optional<ServerParts> parts;
    std::string why;
    {
      MutexLock lock(&mutex_);
      parts = parts_;
      why = why_;
      ++lookers_;
    }
    const Leave leave{this};
    return look(parts.has_value() ? &*parts : nullptr, why);
  }
  // Waits for those who look. `why` is what others are told until the next Open.
  void Close(std::string why) {
    if (last_look_ != nullptr) {
      With([this](const ServerParts* parts, const std::string&) {
        if (parts != nullptr) last_look_(*parts);
        return 0;
      });
    }
    MutexLock lock(&mutex_);
    parts_.reset();
    why_ = std::move(why);
    while (lookers_ > 0) changed_.Wait(&mutex_);
  }

 private:
  struct Leave {
    ServerWindow* window;
    ~Leave() {
      MutexLock lock(&window->mutex_);
      --window->lookers_;
      window->changed_.NotifyAll();
    }
  };

  std::function<void(const ServerParts&)> last_look_;
  Mutex mutex_;
  CondVar changed_;
  int lookers_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<ServerParts> parts_ ABSL_GUARDED_BY(mutex_);
  std::string why_ ABSL_GUARDED_BY(mutex_) = "starting";
};

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_SERVER_WINDOW_H_
