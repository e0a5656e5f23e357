// SPDX-License-Identifier: Apache-2.0
// The final weights' way to the disk: fetched, fetched again while they are not there or of a
// lineage that is over, and written again while the disk is full. Pure. One thread.
#ifndef CONADV_CLI_RUN_FINAL_WEIGHTS_H_
#define CONADV_CLI_RUN_FINAL_WEIGHTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/run/run_event.h"
#include "common/base/backoff.h"

namespace conadv {

// How long a full disk is waited for at the end, and how often it is asked.
inline const BackoffOptions kWriteAgain = {absl::Seconds(1), absl::Seconds(10), absl::Minutes(10)};

class FinalWeights {
 public:
  // `seed` is that of the waits' jitter.
  explicit FinalWeights(uint64_t seed) : backoff_(kWriteAgain, seed) {}

  // A fetch is to begin now, and may take this long; nothing if one is under way, or waits.
  std::optional<absl::Duration> BeginFetch(absl::Time now);
  void OnFetched(const WeightsFetched& fetched);
  // The run has gone back: what is being fetched may be of a lineage that is over.
  void OnRunWentBack();
  // Somebody has to take what was fetched.
  bool fetched() const { return state_ == State::kFetched; }

  enum class Verdict {
    kFetchAgain,
    kNotThereYet,   // a server is away or slow, and with it the run's end
    kWriteRecords,  // the weights are what is wanted: the last records go first, see OnRecords
    kDone,
    kFailed,      // `status` says why
    kNotWritten,  // the same, and what could be saved is still with the servers
  };
  struct Decision {
    Verdict verdict = Verdict::kFetchAgain;
    absl::Status status;
    std::string note;  // for people; may be empty
  };
  // REQUIRES: fetched(). `final_version` is the run's.
  Decision Take(uint64_t final_version);
  bool awaits_records() const { return state_ == State::kWritingRecords; }
  // What came of writing the last records. REQUIRES: awaits_records(). `coordinator`, an address,
  // is where the weights can be had meanwhile.
  Decision OnRecords(const absl::Status& records, const std::string& coordinator, absl::Time now);

  // As they were fetched last.
  uint64_t version() const { return held_.version; }
  uint32_t crc32c() const { return held_.crc32c; }

 private:
  enum class State { kNone, kFetching, kFetched, kWritingRecords };

  State state_ = State::kNone;
  WeightsFetched held_;
  bool in_vain_ = false;  // the fetch began before the run went back
  absl::Duration timeout_ = absl::Seconds(30);
  Backoff backoff_;
  absl::Time fetch_again_ = absl::InfinitePast();
  bool waits_for_disk_ = false;
};

}  // namespace conadv

#endif  // CONADV_CLI_RUN_FINAL_WEIGHTS_H_
