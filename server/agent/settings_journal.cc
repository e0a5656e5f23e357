// SPDX-License-Identifier: Apache-2.0
#include "server/agent/settings_journal.h"

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace conadv {
namespace {

using Json = nlohmann::json;

constexpr char kFormat[] = "conadv settings 1";

// Throws Json::exception.
absl::StatusOr<SettingsRecord> FromJson(const Json& json) {
  SettingsRecord record;
  uint64_t run = 0;
  const bool known =
      json.at("format") == kFormat && absl::SimpleHexAtoi(json.at("run").get<std::string>(), &run);
  if (!known) return absl::DataLossError("another format");
  record.run = Lineage(run);
  for (const Json& change : json.at("training.tau")) {
    record.tau.push_back(
        {Step(change.at("from_step").get<uint64_t>()), change.at("tau").get<uint32_t>()});
  }
  CONADV_RETURN_IF_ERROR(CheckTauChanges(record.tau));
  return record;
}

}  // namespace

SettingsJournal::SettingsJournal(std::string directory, const FileSystem* files)
    : directory_(std::move(directory)),
      path_(absl::StrCat(directory_, "/settings.json")),
      files_(files) {}

absl::StatusOr<SettingsRecord> SettingsJournal::Read() const {
  if (directory_.empty() || !files_->Exists(path_)) return SettingsRecord();
  CONADV_ASSIGN_OR_RETURN(const std::string text, files_->Read(path_));
  absl::StatusOr<SettingsRecord> record;
  try {
    record = FromJson(Json::parse(text));
  } catch (const Json::exception& error) {
    record = absl::DataLossError(error.what());
  }
  if (record.ok()) return record;
  return absl::DataLossError(
      absl::StrCat(path_, " is not what was written: ", record.status().message()));
}

absl::Status SettingsJournal::Write(const SettingsRecord& record) const {
  if (directory_.empty()) {
    return absl::FailedPreconditionError(
        "this run keeps no checkpoints, so what is set would be lost when it goes back; give it a "
        "--checkpoint_dir");
  }
  Json changes = Json::array();
  for (const TauChange& change : record.tau) {
    changes.push_back({{"from_step", change.step.value()}, {"tau", change.tau}});
  }
  const Json json = {{"format", kFormat},
                     {"run", absl::StrCat(absl::Hex(record.run.value(), absl::kZeroPad16))},
                     {"training.tau", std::move(changes)}};
  CONADV_RETURN_IF_ERROR(files_->MakeDirectories(directory_));
  return files_->WriteAtomically(path_, absl::StrCat(json.dump(2), "\n"));
}

}  // namespace conadv
