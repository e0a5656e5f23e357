// SPDX-License-Identifier: Apache-2.0
// Keeps a run's servers from leaving at its end until the last weights are read: an observer's
// membership, taken again whenever it breaks. One thread.
#ifndef CONADV_CLI_VERSIONS_RUN_STAY_H_
#define CONADV_CLI_VERSIONS_RUN_STAY_H_

#include <memory>
#include <ostream>
#include <string>

#include "cli/client/observer.h"
#include "common/thread/timer.h"
#include "common/wire/client_credentials.h"

namespace conadv {

class RunStay {
 public:
  RunStay(std::string coordinator, ClientCredentials credentials, std::ostream* notes)
      : coordinator_(std::move(coordinator)), credentials_(std::move(credentials)), notes_(notes) {}

  // Joins if it is no member, or not any more. To look needs less than to join: whoever may not is
  // told so, once, and does without.
  void Keep();
  // The servers may go.
  void Leave();

 private:
  const std::string coordinator_;
  const ClientCredentials credentials_;
  std::ostream* const notes_;
  bool refused_ = false;
  ThreadTimer timer_;
  std::unique_ptr<Observer> observer_;  // last: it uses the timer
};

}  // namespace conadv

#endif  // CONADV_CLI_VERSIONS_RUN_STAY_H_
