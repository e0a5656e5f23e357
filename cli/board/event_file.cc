// SPDX-License-Identifier: Apache-2.0
#include "cli/board/event_file.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "cli/board/event_record.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr absl::string_view kPrefix = "events.out.tfevents.";

// Tens of thousands of updates.
constexpr size_t kMostWaiting = size_t{16} << 20;

}  // namespace

std::string NextEventFileName(const std::vector<std::string>& names, absl::Time wall_now,
                              absl::string_view host) {
  int64_t seconds = absl::ToUnixSeconds(wall_now);
  for (absl::string_view name : names) {
    int64_t taken = 0;
    if (absl::ConsumePrefix(&name, kPrefix) &&
        absl::SimpleAtoi(name.substr(0, name.find('.')), &taken)) {
      seconds = std::max(seconds, taken + 1);
    }
  }
  return absl::StrFormat("%s%010d.%s", kPrefix, seconds, host);
}

EventFile::EventFile(std::string directory, std::string host, const FileSystem* files)
    : directory_(std::move(directory)), host_(std::move(host)), files_(files) {}

void EventFile::Append(const tensorboard::Event& event) {
  const std::string record = EventRecord(event);
  // Without a session's beginning what is void would stay.
  if (event.has_summary() && waiting_.size() + record.size() > kMostWaiting) {
    ++lost_;
    return;
  }
  waiting_ += record;
}

absl::Status EventFile::Flush(absl::Time wall_now) {
  if (waiting_.empty()) return absl::OkStatus();
  if (path_.empty()) CONADV_RETURN_IF_ERROR(Create(wall_now));
  CONADV_RETURN_IF_ERROR(files_->WriteFrom(path_, written_bytes_, waiting_));
  written_bytes_ += waiting_.size();
  waiting_.clear();
  return absl::OkStatus();
}

absl::Status EventFile::Create(absl::Time wall_now) {
  CONADV_RETURN_IF_ERROR(files_->MakeDirectories(directory_));
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_->List(directory_));
  path_ = absl::StrCat(directory_, "/", NextEventFileName(names, wall_now, host_));
  waiting_.insert(0, EventRecord(FirstEvent(wall_now)));
  return absl::OkStatus();
}

}  // namespace conadv
