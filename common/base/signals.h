// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT, as a question that a loop asks. One for the process.
#ifndef CONADV_COMMON_BASE_SIGNALS_H_
#define CONADV_COMMON_BASE_SIGNALS_H_

#include <csignal>

namespace conadv {

class ShutdownSignals {
 public:
  // Takes the signals over. A second one ends the process at once, as if nobody had.
  static const ShutdownSignals& Install();
  bool received() const { return received_ != 0; }

 private:
  static void Handle(int signal);
  static volatile std::sig_atomic_t received_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_SIGNALS_H_
