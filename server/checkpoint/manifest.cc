// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/manifest.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/tensor/crc32c.h"
#include "nlohmann/json.hpp"

namespace conadv {
namespace {

using Json = nlohmann::json;

constexpr char kFormat[] = "conadv checkpoint 3";

// Hexadecimal: many readers of JSON keep only 53 bits of a number.
std::string Hex(uint64_t value) { return absl::StrCat(absl::Hex(value, absl::kZeroPad16)); }

Json ToJson(const Manifest& manifest) {
  Json files = Json::object();
  for (const auto& [name, file] : manifest.files) {
    files[name] = {{"bytes", file.bytes}, {"crc32c", file.crc32c}};
  }
  return {{"format", kFormat},
          {"version", manifest.version.value()},
          {"run", Hex(manifest.run.value())},
          {"lineage", Hex(manifest.lineage.value())},
          {"shard", manifest.shard},
          {"shards", manifest.shards},
          {"layout_hash", Hex(manifest.layout_hash)},
          {"applied", {{"prefix", manifest.applied_prefix}, {"ahead", manifest.applied_ahead}}},
          {"plan_base64", absl::Base64Escape(manifest.plan)},
          {"job", manifest.job},
          {"files", std::move(files)}};
}

// Keys are sorted, so equal manifests are equal text.
std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

uint32_t Crc32cOf(const Json& contents) {
  const std::string text = Dump(contents, -1);
  return ExtendCrc32c(0, text.data(), text.size());
}

// Json converts numbers: -1 and 1e300 to something or other, 1.5 to 1.
template <class Whole>
bool ReadWhole(const Json& json, Whole* number) {
  if (!json.is_number_unsigned()) return false;
  const auto wide = json.get<uint64_t>();
  *number = static_cast<Whole>(wide);
  return *number == wide;
}

// Throws Json::exception.
bool ReadHex(const Json& json, uint64_t* number) {
  return absl::SimpleHexAtoi(json.get<std::string>(), number);
}

// Throws Json::exception.
absl::StatusOr<Manifest> FromJson(const Json& json) {
  if (json.at("format").get<std::string>() != kFormat) {
    return absl::DataLossError(absl::StrCat("is not of the format \"", kFormat,
                                            "\" but of another release's; go on with that one"));
  }
  Manifest manifest;
  uint64_t version = 0;
  uint32_t crc = 0;
  bool whole = ReadWhole(json.at("version"), &version) &&
               ReadWhole(json.at("shard"), &manifest.shard) &&
               ReadWhole(json.at("shards"), &manifest.shards) && ReadWhole(json.at("crc32c"), &crc);
  manifest.version = Version(version);
  const Json& applied = json.at("applied");
  whole = whole && ReadWhole(applied.at("prefix"), &manifest.applied_prefix) &&
          applied.at("ahead").is_array();
  for (const Json& unit : applied.at("ahead")) {
    uint64_t number = 0;
    whole = whole && ReadWhole(unit, &number);
    manifest.applied_ahead.insert(number);
  }
  manifest.job = json.at("job").get<std::string>();
  uint64_t run = 0;
  uint64_t lineage = 0;
  const bool ids = ReadHex(json.at("run"), &run) && ReadHex(json.at("lineage"), &lineage);
  manifest.run = Lineage(run);
  manifest.lineage = Lineage(lineage);
  if (!ids || !ReadHex(json.at("layout_hash"), &manifest.layout_hash) ||
      !absl::Base64Unescape(json.at("plan_base64").get<std::string>(), &manifest.plan)) {
    return absl::DataLossError("has a run, a lineage, a layout hash or a plan that cannot be read");
  }
  for (const auto& [name, file] : json.at("files").items()) {
    ManifestFile& of = manifest.files[name];
    whole =
        whole && ReadWhole(file.at("bytes"), &of.bytes) && ReadWhole(file.at("crc32c"), &of.crc32c);
  }
  if (!whole) return absl::DataLossError("has a number that is not whole or does not fit");
  if (Crc32cOf(ToJson(manifest)) != crc) {
    return absl::DataLossError("does not match its crc32c");
  }
  return manifest;
}

}  // namespace

CheckpointId IdOf(const Manifest& manifest) {
  return {manifest.version,
          manifest.run,
          manifest.lineage,
          LedgerDigest(manifest.applied_prefix, manifest.applied_ahead),
          JobDigest(manifest.job, manifest.plan),
          manifest.layout_hash};
}

std::string EncodeManifest(const Manifest& manifest) {
  Json json = ToJson(manifest);
  const uint32_t crc = Crc32cOf(json);
  json["crc32c"] = crc;
  return Dump(json, 2) + "\n";
}

absl::StatusOr<Manifest> DecodeManifest(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::DataLossError("is not JSON");
  try {
    return FromJson(json);
  } catch (const Json::exception& error) {
    return absl::DataLossError(absl::StrCat("lacks a field: ", error.what()));
  }
}

}  // namespace conadv
