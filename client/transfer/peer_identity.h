// SPDX-License-Identifier: Apache-2.0
// Whose answers a client takes: those of one process, in one lineage of the weights. A server that
// was started again may have gone back to an older version. Thread-safe.
#ifndef CONADV_CLIENT_TRANSFER_PEER_IDENTITY_H_
#define CONADV_CLIENT_TRANSFER_PEER_IDENTITY_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"

namespace conadv {

class PeerIdentity {
 public:
  explicit PeerIdentity(std::string address) : address_(std::move(address)) {}

  // ABORTED: another process than at the first call since Forget().
  absl::Status Check(Incarnation incarnation) {
    uint64_t known = 0;
    if (known_.compare_exchange_strong(known, incarnation.value()) ||
        known == incarnation.value()) {
      return absl::OkStatus();
    }
    return absl::AbortedError(absl::StrCat("server ", address_, " was restarted"));
  }
  void Forget() { known_ = 0; }
  // What calls name from now on; servers of another lineage answer them ABORTED.
  void SetLineage(Lineage lineage) { lineage_ = lineage.value(); }
  Lineage lineage() const { return Lineage(lineage_); }
  const std::string& address() const { return address_; }

 private:
  const std::string address_;
  std::atomic<uint64_t> known_{0};
  std::atomic<uint64_t> lineage_{0};
};

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_PEER_IDENTITY_H_
