// SPDX-License-Identifier: Apache-2.0
#include "cli/versions/version_watch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/client/inspector_client.h"
#include "cli/versions/run_stay.h"
#include "cli/versions/version_plan.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {
namespace {

// Between two looks at a run that has no weights yet, or goes back.
constexpr absl::Duration kLook = absl::Milliseconds(200);
// Between two notes of what is left out.
constexpr absl::Duration kNotes = absl::Seconds(1);

bool HasWeights(const v1::StatusResponse& status) {
  switch (status.phase()) {
    case v1::StatusResponse::TRAINING:
    case v1::StatusResponse::EVALUATING:
    case v1::StatusResponse::FINISHED: return true;
    default: return false;
  }
}

class VersionWatch {
 public:
  VersionWatch(const VersionWatchOptions& options, VersionFiles* files)
      : options_(options),
        files_(files),
        plan_(options.every),
        client_(options.coordinator, options.wait),
        stay_(options.coordinator, options.wait.credentials, options.wait.notes) {}

  absl::Status Run(const VersionWritten& written) {
    while (true) {
      CONADV_ASSIGN_OR_RETURN(const bool weights_are_there, Look());
      if (!weights_are_there) {
        CONADV_RETURN_IF_ERROR(Rest());
        continue;
      }
      const std::optional<uint64_t> next = plan_.next();
      if (!next.has_value()) break;
      CONADV_ASSIGN_OR_RETURN(const std::optional<Weights> weights, Pull(Version(*next)));
      if (!weights.has_value()) continue;
      // They may be of a lineage that is over: what it made is void.
      const absl::StatusOr<bool> still = Look();
      if (absl::IsCancelled(still.status())) return still.status();
      if (still.ok() && (!*still || plan_.next() != next)) continue;
      CONADV_ASSIGN_OR_RETURN(const std::string path, files_->Write(*weights));
      plan_.Wrote();
      if (!written(*weights, path)) break;
    }
    TellLeftOut();
    stay_.Leave();
    return absl::OkStatus();
  }

 private:
  absl::Status Rest() const {
    return options_.wait.pause(kLook) ? absl::OkStatus() : absl::CancelledError("interrupted");
  }

  // Whether there are weights to pull.
  absl::StatusOr<bool> Look() {
    v1::StatusResponse status;
    CONADV_RETURN_IF_ERROR(client_.Ask(&v1::Inspector::Stub::Status, &status));
    client_.Follow();
    stay_.Keep();
    if (!HasWeights(status)) {
      const std::string message = Printable(status.message());
      if (message != waits_for_) Note(absl::StrCat("no weights to write now: ", message));
      waits_for_ = message;
      return false;
    }
    waits_for_.clear();
    if (plan_.See({status.version(), status.final_version(), status.lineage(),
                   status.restored_version()})) {
      Note(absl::StrCat("the run went back to version ", status.restored_version(),
                        ": what comes after it is written again"));
    }
    latest_ = status.version();
    if (left_out_.has_value() && Clock::Real().Now() - told_ > kNotes) TellLeftOut();
    return true;
  }

  // Nothing: it is not there yet, or not any more. The next look tells which servers are there, and
  // whether the run has gone back.
  absl::StatusOr<std::optional<Weights>> Pull(Version version) {
    const ServerWait wait(options_.wait);
    absl::StatusOr<Weights> weights = TryPullWeights(
        options_.coordinator, PullSelector::Exactly(version).Averaged(options_.averaged), wait);
    if (weights.ok()) return std::optional<Weights>(*std::move(weights));
    if (IsTransient(weights.status())) {
      CONADV_RETURN_IF_ERROR(Rest());
      return std::optional<Weights>();
    }
    if (!absl::IsOutOfRange(weights.status())) return weights.status();
    CONADV_ASSIGN_OR_RETURN(const bool weights_are_there, Look());
    // Past the run's last, which we know now, or of a run that goes back.
    if (!weights_are_there || plan_.next() != version.value()) return std::optional<Weights>();
    if (version.value() > latest_) return weights.status();
    const auto [first, last] = plan_.Missed();
    left_out_ = {left_out_.has_value() ? std::min(left_out_->first, first) : first, last};
    return std::optional<Weights>();
  }

  // A run that is faster than we are leaves out many.
  void TellLeftOut() {
    if (!left_out_.has_value()) return;
    Note(absl::StrCat("left out: versions ", left_out_->first, " to ", left_out_->second,
                      ", or some of them, were no longer kept when they were to be read; "
                      "server.retain keeps more, and a larger --every asks for less"));
    left_out_.reset();
    told_ = Clock::Real().Now();
  }

  void Note(const std::string& text) { *options_.wait.notes << text << "\n" << std::flush; }

  const VersionWatchOptions options_;
  VersionFiles* const files_;
  VersionPlan plan_;
  InspectorClient client_;
  RunStay stay_;
  uint64_t latest_ = 0;
  std::string waits_for_;
  std::optional<std::pair<uint64_t, uint64_t>> left_out_;  // the first and the last, not told yet
  absl::Time told_ = absl::InfinitePast();
};

}  // namespace

absl::Status WatchVersions(const VersionWatchOptions& options, VersionFiles* files,
                           const VersionWritten& written) {
  const absl::Status status = VersionWatch(options, files).Run(written);
  if (absl::IsCancelled(status)) return absl::OkStatus();
  if (absl::IsOutOfRange(status)) {
    return absl::AbortedError(
        absl::StrCat(status.message(),
                     ", and its last version is not written: its servers left "
                     "before it could be read"));
  }
  return status;
}

}  // namespace conadv
