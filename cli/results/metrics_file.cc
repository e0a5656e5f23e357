// SPDX-License-Identifier: Apache-2.0
#include "cli/results/metrics_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

using Json = nlohmann::json;

// Hours of a large model's records, minutes of the smallest one's.
constexpr size_t kMostWaiting = size_t{64} << 20;

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
    : path_(std::move(path)), files_(files) {}

absl::Status MetricsFile::GoBackTo(uint64_t version, uint64_t final_version) {
  absl::StatusOr<std::string> text = std::string();
  if (!replace_ && files_->Exists(path_)) text = files_->Read(path_);
  unreadable_ = text.status();
  CONADV_RETURN_IF_ERROR(unreadable_);
  // At the first time what is there is an earlier train's.
  if (began_) text->resize(std::min<size_t>(text->size(), written_bytes_));
  began_ = true;
  KeptMetrics kept = KeepUpTo(absl::StrCat(*text, waiting_), version, final_version);
  seconds_before_ = kept.seconds;
  const bool shorter = absl::StartsWith(*text, kept.text);
  // Lines that stay must not be cut away before they are written again.
  replace_ = !shorter && !absl::StartsWith(kept.text, *text);
  written_bytes_ = replace_ ? 0 : std::min(text->size(), kept.text.size());
  waiting_ = kept.text.substr(written_bytes_);
  waiting_lines_ = std::count(waiting_.begin(), waiting_.end(), '\n');
  cut_ = true;
  return absl::OkStatus();
}

void MetricsFile::Append(absl::string_view line) {
  if (waiting_.size() + line.size() > kMostWaiting) {
    ++lost_lines_;
    return;
  }
  absl::StrAppend(&waiting_, line, "\n");
  ++waiting_lines_;
}

absl::Status MetricsFile::Flush() {
  CONADV_RETURN_IF_ERROR(unreadable_);
  if (waiting_.empty() && !cut_) return absl::OkStatus();
  CONADV_RETURN_IF_ERROR(replace_ ? files_->WriteAtomically(path_, waiting_)
                                  : files_->WriteFrom(path_, written_bytes_, waiting_));
  written_bytes_ = waiting_.size() + (replace_ ? 0 : written_bytes_);
  waiting_.clear();
  waiting_lines_ = 0;
  replace_ = false;
  cut_ = false;
  return absl::OkStatus();
}

}  // namespace conadv
