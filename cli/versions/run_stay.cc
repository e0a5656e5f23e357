// SPDX-License-Identifier: Apache-2.0
#include "cli/versions/run_stay.h"

#include "common/wire/channel.h"

namespace conadv {

void RunStay::Keep() {
  if (observer_ != nullptr) {
    const Observer::State state = observer_->state();
    if (!state.closed) return;
    refused_ = refused_ || absl::IsPermissionDenied(state.status);
    if (refused_) {
      *notes_ << "these credentials may look but not join (they need the role worker): the servers "
                 "do not wait until the last version is written\n"
              << std::flush;
    }
    observer_.reset();
  }
  if (refused_) return;
  observer_ = std::make_unique<Observer>(MakeChannel(coordinator_, credentials_), &timer_, [] {});
}

void RunStay::Leave() {
  refused_ = true;
  if (observer_ != nullptr) observer_->Leave();
}

}  // namespace conadv
