// SPDX-License-Identifier: Apache-2.0
#include "cli/run/metrics_writing.h"

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

constexpr absl::Duration kTryAgain = absl::Seconds(1);

}  // namespace

std::string MetricsWriting::OnWritten(const MetricsWritten& written, absl::Time now) {
  const bool was_ok = status_.ok();
  status_ = written.status;
  missing_ = written.missing;
  again_ = status_.ok() ? now : now + kTryAgain;
  if (status_.ok() == was_ok) return "";
  return status_.ok() ? absl::StrCat(path_, " is written again")
                      : absl::StrCat("warning: ", status_.message(),
                                     " (training goes on, and the lines wait in memory)");
}

std::string MetricsWriting::Missing(const ProgressState& progress) const {
  std::string what = missing_ > 0 ? absl::StrCat(missing_, " records") : "";
  if (!progress.trained()) what = absl::StrCat("what comes after version ", progress.version);
  if (what.empty() && status_.ok()) return "";
  return absl::StrCat(path_, " lacks ", what.empty() ? "records" : what,
                      status_.ok() ? "" : absl::StrCat(": ", status_.message()));
}

}  // namespace conadv
