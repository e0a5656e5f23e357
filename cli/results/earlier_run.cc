// SPDX-License-Identifier: Apache-2.0
#include "cli/results/earlier_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {

EarlierRun::EarlierRun(const std::string& directory, std::vector<std::string> entries,
                       const FileSystem* files)
    : directory_(directory),
      entries_(std::move(entries)),
      files_(files),
      whole_(InDirectory("earlier-run")),
      moving_(InDirectory("earlier-run.moving")),
      unwanted_(InDirectory("earlier-run.unwanted")) {}

std::string EarlierRun::InDirectory(const std::string& name) const {
  return absl::StrCat(directory_, "/", name);
}

absl::Status EarlierRun::Recover() {
  CONADV_RETURN_IF_ERROR(files_->Remove(unwanted_));
  if (files_->Exists(moving_)) return MoveBack();
  aside_ = files_->Exists(whole_);
  return aside_ ? PutBack() : absl::OkStatus();
}

absl::Status EarlierRun::SetAside() {
  CONADV_RETURN_IF_ERROR(files_->MakeDirectories(moving_));
  for (const std::string& name : entries_) {
    if (!files_->Exists(InDirectory(name))) continue;
    const absl::Status moved = files_->Rename(InDirectory(name), absl::StrCat(moving_, "/", name));
    if (!moved.ok()) {
      // What cannot be moved back either, Recover finds.
      MoveBack().IgnoreError();
      return moved;
    }
  }
  CONADV_RETURN_IF_ERROR(files_->Rename(moving_, whole_));
  aside_ = true;
  return absl::OkStatus();
}

absl::Status EarlierRun::PutBack() {
  for (const std::string& name : entries_) {
    CONADV_RETURN_IF_ERROR(files_->Remove(InDirectory(name)));
  }
  CONADV_RETURN_IF_ERROR(files_->Rename(whole_, moving_));
  CONADV_RETURN_IF_ERROR(MoveBack());
  aside_ = false;
  return absl::OkStatus();
}

absl::Status EarlierRun::MoveBack() {
  for (const std::string& name : entries_) {
    const std::string from = absl::StrCat(moving_, "/", name);
    if (files_->Exists(from)) CONADV_RETURN_IF_ERROR(files_->Rename(from, InDirectory(name)));
  }
  return files_->Remove(moving_);
}

absl::Status EarlierRun::Drop() {
  CONADV_RETURN_IF_ERROR(files_->Rename(whole_, unwanted_));
  aside_ = false;
  return files_->Remove(unwanted_);
}

}  // namespace conadv
