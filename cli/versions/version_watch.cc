// SPDX-License-Identifier: Apache-2.0
#include "cli/versions/version_watch.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/client/inspector_client.h"
#include "cli/versions/run_stay.h"
#include "cli/versions/version_plan.h"
#include "common/base/status_macros.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {
namespace {

// Between two looks at a run that has no weights yet, or goes back.
constexpr absl::Duration kLook = absl::Milliseconds(200);

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

  absl::Status Run(const std::function<void(const Weights&, const std::string&)>& written) {
    while (true) {
      CONADV_ASSIGN_OR_RETURN(const bool weights_are_there, Look());
      if (!weights_are_there) {
        if (!options_.wait.pause(kLook)) return absl::CancelledError("interrupted");
        continue;
      }
      const std::optional<uint64_t> next = plan_.next();
      if (!next.has_value()) break;
      CONADV_ASSIGN_OR_RETURN(const std::optional<Weights> weights, Pull(Version(*next)));
      if (!weights.has_value()) continue;
      CONADV_ASSIGN_OR_RETURN(const std::string path, files_->Write(*weights));
      plan_.Wrote();
      written(*weights, path);
    }
    stay_.Leave();
    return absl::OkStatus();
  }

 private:
  // Whether there are weights to pull.
  absl::StatusOr<bool> Look() {
    v1::StatusResponse status;
    CONADV_RETURN_IF_ERROR(client_.Ask(&v1::Inspector::Stub::Status, &status));
    client_.Follow();
    stay_.Keep();
    if (!HasWeights(status)) return false;
    if (plan_.See({status.version(), status.final_version(), status.lineage(),
                   status.restored_version()})) {
      Note(absl::StrCat("the run went back to version ", status.restored_version(),
                        ": what comes after it is written again"));
    }
    latest_ = status.version();
    return true;
  }

  // Nothing: it is not there yet, or not any more. The next look tells which servers are there.
  absl::StatusOr<std::optional<Weights>> Pull(Version version) {
    ServerWait wait(options_.wait);
    absl::StatusOr<Weights> weights = PullWeights(
        options_.coordinator, PullSelector::Exactly(version).Averaged(options_.averaged), &wait);
    if (weights.ok()) return std::optional<Weights>(*std::move(weights));
    if (absl::IsDeadlineExceeded(weights.status())) return std::optional<Weights>();
    if (!absl::IsOutOfRange(weights.status())) return weights.status();
    CONADV_ASSIGN_OR_RETURN(const bool weights_are_there, Look());
    // Past the run's last, which we know now, or of a run that goes back.
    if (!weights_are_there || plan_.next() != version.value()) return std::optional<Weights>();
    if (version.value() > latest_) return weights.status();
    Note(absl::StrCat("left out: ", weights.status().message()));
    plan_.Missed();
    return std::optional<Weights>();
  }

  void Note(const std::string& text) { *options_.wait.notes << text << "\n" << std::flush; }

  const VersionWatchOptions options_;
  VersionFiles* const files_;
  VersionPlan plan_;
  InspectorClient client_;
  RunStay stay_;
  uint64_t latest_ = 0;
};

}  // namespace

absl::Status WatchVersions(
    const VersionWatchOptions& options, VersionFiles* files,
    const std::function<void(const Weights&, const std::string& path)>& written) {
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
