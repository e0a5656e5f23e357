// SPDX-License-Identifier: Apache-2.0
#include "cli/metrics_file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

using Json = nlohmann::json;

// The record of this kind in a line, if it is one.
const Json* RecordOf(const Json& line, const char* kind) {
  if (!line.is_object()) return nullptr;
  const auto found = line.find(kind);
  return found == line.end() || !found->is_object() ? nullptr : &*found;
}

template <class T>
T FieldOf(const Json& record, const char* name, T otherwise) {
  const auto found = record.find(name);
  return found != record.end() && found->is_number() ? found->get<T>() : otherwise;
}

}  // namespace

KeptMetrics KeepUpTo(absl::string_view text, uint64_t version, uint64_t final_version) {
  KeptMetrics kept;
  for (const absl::string_view text_line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const Json line =
        Json::parse(text_line.begin(), text_line.end(), nullptr, /*allow_exceptions=*/false);
    const Json* const step = RecordOf(line, "step");
    const Json* const evaluation = RecordOf(line, "evaluation");
    if (step == nullptr && evaluation == nullptr) continue;
    const uint64_t of = FieldOf(step != nullptr ? *step : *evaluation, "version", UINT64_MAX);
    if (of > version || (evaluation != nullptr && of >= final_version)) continue;
    if (step != nullptr) kept.seconds = FieldOf(*step, "seconds", kept.seconds);
    absl::StrAppend(&kept.text, text_line, "\n");
  }
  return kept;
}

MetricsFile::MetricsFile(std::string path, const FileSystem* files)
    : path_(std::move(path)), files_(files) {
  stream_.open(path_, std::ios::app);
}

absl::Status MetricsFile::GoBackTo(uint64_t version, uint64_t final_version) {
  stream_.close();
  CONADV_ASSIGN_OR_RETURN(const std::string text, files_->Read(path_));
  const KeptMetrics kept = KeepUpTo(text, version, final_version);
  seconds_before_ = kept.seconds;
  const absl::Status status =
      kept.text == text ? absl::OkStatus() : files_->WriteAtomically(path_, kept.text);
  // Where there is no room now there may be later.
  stream_.open(path_, std::ios::app);
  return status.ok() ? Flush() : status;
}

absl::Status MetricsFile::Flush() {
  if (stream_.flush()) return absl::OkStatus();
  stream_.clear();
  return absl::UnavailableError(absl::StrCat("cannot write ", path_));
}

}  // namespace conadv
