// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/goodput_journal.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace conadv {
namespace {

using Json = nlohmann::json;

constexpr char kFormat[] = "conadv goodput 1";

std::string Hex(Lineage lineage) {
  return absl::StrCat(absl::Hex(lineage.value(), absl::kZeroPad16));
}

// These throw Json::exception.
absl::StatusOr<Lineage> LineageAt(const Json& json, const char* field) {
  uint64_t value = 0;
  if (absl::SimpleHexAtoi(json.at(field).get<std::string>(), &value)) return Lineage(value);
  return absl::DataLossError(absl::StrCat(field, " is no lineage"));
}

absl::Duration TimeAt(const Json& json, const char* field) {
  return absl::Nanoseconds(json.at(field).get<int64_t>());
}

absl::StatusOr<GoodputEntry> FromJson(const Json& json) {
  if (json.at("format") != kFormat) return absl::DataLossError("another format");
  GoodputEntry entry;
  CONADV_ASSIGN_OR_RETURN(entry.run, LineageAt(json, "run"));
  entry.process = json.at("process").get<std::string>();
  Goodput::Record& record = entry.record;
  CONADV_ASSIGN_OR_RETURN(record.lineage, LineageAt(json, "lineage"));
  record.sums.lineages = json.at("lineages").get<uint64_t>();
  record.sums.made_updates = json.at("made_updates").get<uint64_t>();
  record.sums.lost_updates = json.at("lost_updates").get<uint64_t>();
  record.sums.trained = TimeAt(json, "trained_nanos");
  record.sums.lost = TimeAt(json, "lost_nanos");
  record.last = absl::UnixEpoch() + TimeAt(json, "last_unix_nanos");
  for (const Json& kept : json.at("kept")) {
    record.kept.push_back({Version(kept.at("first").get<uint64_t>()),
                           Version(kept.at("newest").get<uint64_t>()), TimeAt(kept, "nanos")});
    if (record.kept.back().newest < record.kept.back().first) {
      return absl::DataLossError("kept: versions fall");
    }
  }
  if (record.sums.lost_updates > record.sums.made_updates) {
    return absl::DataLossError("more updates are lost than were made");
  }
  if (record.kept.empty()) return absl::DataLossError("kept: there is nothing");
  return entry;
}

}  // namespace

GoodputJournal::GoodputJournal(const std::string& directory, uint32_t shard, uint32_t shards,
                               const FileSystem* files)
    : path_(absl::StrCat(directory, "/goodput-shard-", shard, "-of-", shards, ".json")),
      files_(files) {}

absl::StatusOr<std::optional<GoodputEntry>> GoodputJournal::Read() const {
  if (!files_->Exists(path_)) return std::nullopt;
  CONADV_ASSIGN_OR_RETURN(const std::string text, files_->Read(path_));
  absl::StatusOr<GoodputEntry> entry;
  try {
    entry = FromJson(Json::parse(text));
  } catch (const Json::exception& error) {
    entry = absl::DataLossError(error.what());
  }
  if (entry.ok()) return *std::move(entry);
  return absl::DataLossError(
      absl::StrCat(path_, " is not what was written: ", entry.status().message()));
}

absl::Status GoodputJournal::Write(const GoodputEntry& entry) const {
  const Goodput::Record& record = entry.record;
  Json kept = Json::array();
  for (const Goodput::Kept& one : record.kept) {
    kept.push_back({{"first", one.first.value()},
                    {"newest", one.newest.value()},
                    {"nanos", absl::ToInt64Nanoseconds(one.time)}});
  }
  const Json json = {{"format", kFormat},
                     {"run", Hex(entry.run)},
                     {"process", entry.process},
                     {"lineage", Hex(record.lineage)},
                     {"lineages", record.sums.lineages},
                     {"made_updates", record.sums.made_updates},
                     {"lost_updates", record.sums.lost_updates},
                     {"trained_nanos", absl::ToInt64Nanoseconds(record.sums.trained)},
                     {"lost_nanos", absl::ToInt64Nanoseconds(record.sums.lost)},
                     {"last_unix_nanos", absl::ToUnixNanos(record.last)},
                     {"kept", std::move(kept)}};
  return files_->WriteAtomically(path_, absl::StrCat(json.dump(2), "\n"));
}

}  // namespace conadv
