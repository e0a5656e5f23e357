// SPDX-License-Identifier: Apache-2.0
// Where the shards' norms come together: shard 0's. Holds those of one update, and the answer to
// the last one for whoever asks again. Lives as long as a lineage. Thread-safe; callbacks run
// without the lock, on the thread of whoever told the last that was missing.
#ifndef CONADV_SERVER_CLIP_NORM_TABLE_H_
#define CONADV_SERVER_CLIP_NORM_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/thread/mutex.h"
#include "server/clip/norm_exchange.h"

namespace conadv {

class NormTable final : public NormExchange {
 public:
  void Combine(const Layout& layout, ShardNorms own, Callback done) override;
  // What another shard tells. Errors, as answers: INVALID_ARGUMENT: there is no such shard, or
  // these are not its squares. FAILED_PRECONDITION: another version is under way. ABORTED: the
  // shard has asked again.
  void Offer(const Layout& layout, uint32_t shard, ShardNorms norms, Callback done);
  // No more answers: who waits, and who comes, gets `status`.
  void Close(const absl::Status& status);

 private:
  struct Part {
    std::vector<double> squares;
    Callback done;
  };
  struct Combined {
    Version version;
    double norm = 0;
  };
  using Answers = std::vector<std::pair<Callback, absl::StatusOr<double>>>;

  void Add(const Layout& layout, uint32_t shard, ShardNorms norms, Callback done);
  absl::Status CheckVersion(uint32_t shard, Version version) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Everyone who waits gets `answer`.
  void AnswerAll(const absl::StatusOr<double>& answer, Answers* answers)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  Version version_ ABSL_GUARDED_BY(mutex_);  // of those that have arrived
  std::map<uint32_t, Part> arrived_ ABSL_GUARDED_BY(mutex_);
  std::optional<Combined> last_ ABSL_GUARDED_BY(mutex_);
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_CLIP_NORM_TABLE_H_
