// SPDX-License-Identifier: Apache-2.0
#include "cli/board/run_board.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

constexpr absl::Duration kTryAgain = absl::Seconds(1);

}  // namespace

RunBoard::RunBoard(std::string directory, std::string host, const TrainingOptions& training,
                   const FileSystem* files, const Clock* clock,
                   std::function<void(const std::string&)> note)
    : clock_(clock),
      note_(std::move(note)),
      events_(training),
      file_(std::move(directory), std::move(host), files) {}

void RunBoard::Begin(uint64_t version, uint64_t final_version, double seconds) {
  Append(events_.Begin(version, final_version, seconds, clock_->WallNow()));
}

void RunBoard::Take(const v1::MetricsRecord& record) {
  Append(events_.Take(record, clock_->WallNow()));
}

void RunBoard::End() {
  Append(events_.End(clock_->WallNow()));
  Flush();
}

void RunBoard::Write() {
  if (clock_->Now() >= again_) Flush();
}

void RunBoard::Flush() {
  const bool was_ok = status_.ok();
  status_ = file_.Flush(clock_->WallNow());
  again_ = status_.ok() ? absl::InfinitePast() : clock_->Now() + kTryAgain;
  if (status_.ok() == was_ok) return;
  if (!status_.ok()) {
    note_(absl::StrCat("warning: ", status_.message(),
                       " (training goes on, and events for TensorBoard wait in memory)"));
    return;
  }
  const std::string lacks =
      file_.lost() == 0 ? "" : absl::StrCat(", without ", file_.lost(), " events");
  note_(absl::StrCat(file_.path(), " is written again", lacks));
}

void RunBoard::Append(const RunEvents::Events& events) {
  for (const tensorboard::Event& event : events) file_.Append(event);
}

}  // namespace conadv
