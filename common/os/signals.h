// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT, as a question that a loop asks. One for the process.
#ifndef CONADV_COMMON_OS_SIGNALS_H_
#define CONADV_COMMON_OS_SIGNALS_H_

#include <signal.h>

#include <csignal>

namespace conadv {

// Whoever started us may have said that a signal is not for us, as nohup does with SIGHUP and a
// shell with SIGINT for what it runs in the background. It stays so.
bool Ignored(int number);

class ShutdownSignals {
 public:
  // Takes the signals over, unless they are ignored. A second one ends the process at once, as if
  // nobody had.
  static const ShutdownSignals& Install();
  bool received() const { return received_ != 0; }
  int number() const { return received_; }  // which one; 0: none

 private:
  static void Handle(int signal);
  static volatile std::sig_atomic_t received_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_OS_SIGNALS_H_
