// SPDX-License-Identifier: Apache-2.0
// A manifest is refused with a reason, or is what was written. Whatever happens to one byte of it
// on the disk is noticed or changes nothing.
//   input := the file
// which is also taken for the contents of a manifest that is written, damaged and read.
#include <algorithm>
#include <string>

#include "nlohmann/json.hpp"
#include "server/checkpoint/manifest.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

// Numbers and text out of bytes, from the first on; 0 and "" once they are used up.
class Supply {
 public:
  explicit Supply(absl::string_view bytes) : left_(bytes) {}
  uint64_t Number(size_t bytes) {
    uint64_t number = 0;
    for (const char c : Bytes(bytes)) number = number << 8 | static_cast<uint8_t>(c);
    return number;
  }
  std::string Bytes(size_t most) {
    const std::string bytes(left_.substr(0, most));
    left_.remove_prefix(bytes.size());
    return bytes;
  }
  std::string Ascii(size_t most) {
    std::string text = Bytes(most);
    for (char& c : text) c = static_cast<char>(c & 0x7f);
    return text;
  }

 private:
  absl::string_view left_;
};

Manifest MakeManifest(absl::string_view bytes) {
  Supply supply(bytes);
  Manifest manifest;
  manifest.version = Version(supply.Number(8));
  manifest.run = Lineage(supply.Number(8));
  manifest.lineage = Lineage(supply.Number(8));
  manifest.shard = static_cast<uint32_t>(supply.Number(4));
  manifest.shards = static_cast<uint32_t>(supply.Number(4));
  manifest.layout_hash = supply.Number(8);
  manifest.applied_prefix = supply.Number(8);
  const uint64_t ahead = supply.Number(1) % 4;
  for (uint64_t i = 0; i < ahead; ++i) manifest.applied_ahead.insert(supply.Number(8));
  const uint64_t files = supply.Number(1) % 4;
  for (uint64_t i = 0; i < files; ++i) {
    const std::string name = supply.Ascii(supply.Number(1) % 16);
    const uint64_t size = supply.Number(8);
    manifest.files[name] = {size, static_cast<uint32_t>(supply.Number(4))};
  }
  manifest.plan = supply.Bytes(supply.Number(1));
  manifest.job = supply.Ascii(bytes.size());
  return manifest;
}

// The writer is the oracle of equality: equal manifests are equal text.
void TestDamage(const Manifest& manifest, uint64_t position, uint8_t change) {
  std::string text = EncodeManifest(manifest);
  const absl::StatusOr<Manifest> read = DecodeManifest(text);
  Require(read.ok(), "what was written can be read", read.status().ToString());
  Require(read->plan == manifest.plan && read->job == manifest.job &&
              IdOf(*read) == IdOf(manifest) && read->applied_prefix == manifest.applied_prefix &&
              read->applied_ahead == manifest.applied_ahead && EncodeManifest(*read) == text,
          "what was written is read");

  std::string damaged = text;
  const size_t at = position % text.size();
  damaged[at] = static_cast<char>(damaged[at] ^ change);
  const absl::StatusOr<Manifest> after = DecodeManifest(damaged);
  if (!after.ok()) {
    return RequireRefusal(after.status(), absl::StatusCode::kDataLoss, damaged.size());
  }
  Require(EncodeManifest(*after) == text, "damage is noticed", damaged);
}

// A number that was changed on the way would also match a checksum of the changed one.
void RequireSameNumbers(absl::string_view text, const Manifest& manifest) {
  const auto before = nlohmann::json::parse(text.begin(), text.end());
  const auto after = nlohmann::json::parse(EncodeManifest(manifest));
  for (const char* name : {"version", "shard", "shards", "crc32c"}) {
    Require(before.at(name) == after.at(name), "numbers are read as they are", name);
  }
  Require(before.at("applied").at("prefix") == after.at("applied").at("prefix"),
          "numbers are read as they are", "prefix");
  for (const auto& [name, file] : after.at("files").items()) {
    const auto& was = before.at("files").at(name);
    Require(was.at("bytes") == file.at("bytes") && was.at("crc32c") == file.at("crc32c"),
            "numbers of files are read as they are", name);
  }
}

void TestManifest(absl::string_view text) {
  const AllocationMeter meter;
  const absl::StatusOr<Manifest> manifest = DecodeManifest(text);
  RequireBounded(meter, 16384 + 256 * text.size());
  if (!manifest.ok()) {
    RequireRefusal(manifest.status(), absl::StatusCode::kDataLoss, text.size());
  } else {
    const absl::StatusOr<Manifest> again = DecodeManifest(EncodeManifest(*manifest));
    Require(again.ok(), "what was read can be written", again.status().ToString());
    Require(EncodeManifest(*again) == EncodeManifest(*manifest), "what was read is written");
    RequireSameNumbers(text, *manifest);
  }
  Supply supply(text);
  const uint64_t position = supply.Number(2);
  const auto change = static_cast<uint8_t>(supply.Number(1));
  TestDamage(MakeManifest(text.substr(std::min<size_t>(3, text.size()))), position, change);
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  conadv::fuzz::TestManifest({reinterpret_cast<const char*>(data), size});
  return 0;
}
