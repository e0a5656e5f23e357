// SPDX-License-Identifier: Apache-2.0
#include "common/thread/wait.h"

#include <algorithm>

#include "common/base/clock.h"
#include "common/thread/mutex.h"

namespace conadv {
namespace {

constexpr absl::Duration kPollInterval = absl::Milliseconds(100);

}  // namespace

void WaitFor(absl::Duration time, const std::function<bool()>& stopped) {
  const absl::Time until = Clock::Real().Now() + time;
  Mutex mutex;
  CondVar never;
  MutexLock lock(&mutex);
  for (absl::Duration left = time; left > absl::ZeroDuration() && !stopped();
       left = until - Clock::Real().Now()) {
    never.WaitFor(&mutex, std::min(left, kPollInterval));
  }
}

}  // namespace conadv
