// SPDX-License-Identifier: Apache-2.0
#include "common/base/signals.h"

namespace conadv {

volatile std::sig_atomic_t ShutdownSignals::received_ = 0;

const ShutdownSignals& ShutdownSignals::Install() {
  static const ShutdownSignals signals;
  std::signal(SIGTERM, &Handle);
  std::signal(SIGINT, &Handle);
  return signals;
}

void ShutdownSignals::Handle(int signal) {
  received_ = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace conadv
