// SPDX-License-Identifier: Apache-2.0
#include "common/os/signals.h"

#include <initializer_list>

namespace conadv {

bool Ignored(int number) {
  struct sigaction now {};
  return sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

volatile std::sig_atomic_t ShutdownSignals::received_ = 0;

const ShutdownSignals& ShutdownSignals::Install() {
  static const ShutdownSignals signals;
  for (const int number : {SIGTERM, SIGINT}) {
    if (!Ignored(number)) std::signal(number, &Handle);
  }
  return signals;
}

void ShutdownSignals::Handle(int signal) {
  received_ = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace conadv
