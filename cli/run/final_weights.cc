// SPDX-License-Identifier: Apache-2.0
#include "cli/run/final_weights.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace conadv {

std::optional<absl::Duration> FinalWeights::BeginFetch(absl::Time now) {
  if (state_ != State::kNone || now < fetch_again_) return std::nullopt;
  state_ = State::kFetching;
  return timeout_;
}

void FinalWeights::OnFetched(const WeightsFetched& fetched) {
  held_ = fetched;
  state_ = State::kFetched;
}

void FinalWeights::OnRunWentBack() {
  if (state_ == State::kWritingRecords) state_ = State::kNone;
  in_vain_ = state_ != State::kNone;
}

FinalWeights::Decision FinalWeights::Take(uint64_t final_version) {
  state_ = State::kNone;
  if (std::exchange(in_vain_, false)) return {Verdict::kFetchAgain, {}, ""};
  const absl::Status& pulled = held_.pulled;
  if (absl::IsUnavailable(pulled) || absl::IsDeadlineExceeded(pulled)) {
    // A server was lost just now; it comes back, and with it the end of the run. Or the weights
    // take longer than we gave them.
    if (absl::IsDeadlineExceeded(pulled)) timeout_ *= 2;
    return {Verdict::kNotThereYet,
            {},
            absl::StrCat("the final weights are not there yet: ", pulled.message())};
  }
  if (!pulled.ok()) {
    const std::string why = absl::StrCat("the final weights are not there: ", pulled.message());
    return {Verdict::kFailed, absl::Status(pulled.code(), why), ""};
  }
  if (held_.version < final_version) return {Verdict::kFetchAgain, {}, ""};
  state_ = State::kWritingRecords;
  return {Verdict::kWriteRecords, {}, ""};
}

FinalWeights::Decision FinalWeights::OnRecords(const absl::Status& records,
                                               const std::string& coordinator, absl::Time now) {
  state_ = State::kNone;
  const absl::Status& written = held_.written;
  const absl::Status& trouble = written.ok() ? records : written;
  if (trouble.ok()) {
    return {Verdict::kDone, {}, waits_for_disk_ ? "the results are written" : ""};
  }
  // The servers keep the weights as long as we stay.
  if (const std::optional<absl::Duration> wait = backoff_.Next(now); wait.has_value()) {
    fetch_again_ = now + *wait;
    if (std::exchange(waits_for_disk_, true)) return {Verdict::kFetchAgain, {}, ""};
    return {Verdict::kFetchAgain,
            {},
            absl::StrCat(
                "the run is done, but ", written.ok() ? "its last records" : "the final weights",
                " cannot be written: ", trouble.message(), "; trying again for ",
                absl::FormatDuration(kWriteAgain.budget), " (conadv pull --server=", coordinator,
                " --out=FILE writes the weights elsewhere meanwhile)")};
  }
  // Records that are missing are a problem of a run that has its weights.
  if (written.ok()) return {Verdict::kDone, {}, ""};
  return {Verdict::kNotWritten,
          absl::Status(written.code(), absl::StrCat("the final weights could not be written for ",
                                                    absl::FormatDuration(kWriteAgain.budget), ": ",
                                                    written.message())),
          ""};
}

}  // namespace conadv
