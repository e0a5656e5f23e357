// SPDX-License-Identifier: Apache-2.0
// Time that passes on purpose: between two tries, or two looks.
#ifndef CONADV_COMMON_THREAD_WAIT_H_
#define CONADV_COMMON_THREAD_WAIT_H_

#include <functional>

#include "absl/time/time.h"

namespace conadv {

// Until `time` has passed or `stopped`, which is asked now and then, says so.
void WaitFor(absl::Duration time, const std::function<bool()>& stopped);

}  // namespace conadv

#endif  // CONADV_COMMON_THREAD_WAIT_H_
