// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/little_endian.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/tensor/safetensors_header.h"
#include "nlohmann/json.hpp"

namespace conadv {
namespace {

using Entry = SafetensorsHeader::Entry;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMostHeaderBytes = 100'000'000;
constexpr size_t kDataAlignment = 8;

std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::Status Bad(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("safetensors: ", Printable(what)));
}

// The shape's bytes of float32, or nothing if they do not fit 64 bits.
bool SizeInBytes(const std::vector<uint64_t>& shape, uint64_t* bytes) {
  *bytes = sizeof(float);
  for (const uint64_t extent : shape) {
    if (extent != 0 && *bytes > std::numeric_limits<uint64_t>::max() / extent) return false;
    *bytes *= extent;
  }
  return true;
}

absl::Status CheckEntry(const Entry& entry, uint64_t data_size) {
  if (entry.dtype != "F32") {
    return Bad(absl::StrCat("tensor ", entry.name, " is ", entry.dtype, "; only F32 is read"));
  }
  uint64_t bytes = 0;
  if (!SizeInBytes(entry.shape, &bytes)) {
    return Bad(absl::StrCat("tensor ", entry.name, " has too many elements"));
  }
  const std::vector<uint64_t>& offsets = entry.data_offsets;
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes) {
    return Bad(absl::StrCat("tensor ", entry.name, " of ", bytes, " bytes has data_offsets [",
                            absl::StrJoin(offsets, ", "), "]"));
  }
  if (offsets[1] > data_size) {
    return Bad(absl::StrCat("truncated: tensor ", entry.name, " ends at byte ", offsets[1],
                            " of the data, which has ", data_size));
  }
  return absl::OkStatus();
}

// Entries by rising offset must cover the data exactly.
absl::Status CheckCover(const std::vector<Entry>& sorted, uint64_t data_size) {
  uint64_t end = 0;
  for (const Entry& entry : sorted) {
    if (entry.data_offsets[0] != end) {
      return Bad(absl::StrCat("tensor ", entry.name, " begins at byte ", entry.data_offsets[0],
                              entry.data_offsets[0] < end ? " and overlaps" : " after a gap from",
                              " byte ", end));
    }
    end = entry.data_offsets[1];
  }
  if (end == data_size) return absl::OkStatus();
  return Bad(absl::StrCat(data_size - end, " bytes after the last tensor"));
}

}  // namespace

std::string EncodeSafetensorsHeader(absl::Span<const NamedTensor> tensors,
                                    const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> entries;
  if (!metadata.empty()) {
    entries.push_back(absl::StrCat("\"__metadata__\":{",
                                   absl::StrJoin(metadata, ",",
                                                 [](std::string* out, const auto& item) {
                                                   absl::StrAppend(out, Quoted(item.first), ":",
                                                                   Quoted(item.second));
                                                 }),
                                   "}"));
  }
  uint64_t end = 0;
  for (const NamedTensor& tensor : tensors) {
    const uint64_t begin = end;
    end += tensor.values.size() * sizeof(float);
    entries.push_back(absl::StrCat(Quoted(tensor.name), ":{\"dtype\":\"F32\",\"shape\":[",
                                   absl::StrJoin(tensor.shape, ","), "],\"data_offsets\":[", begin,
                                   ",", end, "]}"));
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  header.resize((header.size() + kDataAlignment - 1) / kDataAlignment * kDataAlignment, ' ');

  return LittleEndian(header.size(), kLengthBytes) + header;
}

std::string EncodeSafetensors(absl::Span<const NamedTensor> tensors,
                              const std::map<std::string, std::string>& metadata) {
  std::string bytes = EncodeSafetensorsHeader(tensors, metadata);
  for (const NamedTensor& tensor : tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor.values.data()),
                 tensor.values.size() * sizeof(float));
  }
  return bytes;
}

absl::StatusOr<SafetensorsFile> DecodeSafetensors(std::string bytes) {
  if (bytes.size() < kLengthBytes) {
    return Bad(absl::StrCat("truncated: ", bytes.size(), " bytes"));
  }
  uint64_t header_size = 0;
  for (uint64_t byte = 0; byte < kLengthBytes; ++byte) {
    header_size |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[byte])) << (8 * byte);
  }
  if (header_size > kMostHeaderBytes) {
    return Bad(absl::StrCat("a header of ", header_size, " bytes; the most is ", kMostHeaderBytes));
  }
  if (header_size > bytes.size() - kLengthBytes) {
    return Bad(
        absl::StrCat("truncated: a header of ", header_size, " bytes in a file of ", bytes.size()));
  }
  const absl::string_view json = absl::string_view(bytes).substr(kLengthBytes, header_size);
  if (json.empty() || json[0] != '{') return Bad("the header does not begin with {");

  CONADV_ASSIGN_OR_RETURN(SafetensorsHeader header, ParseSafetensorsHeader(json));
  const uint64_t data_size = bytes.size() - kLengthBytes - header_size;
  for (const Entry& entry : header.entries) {
    CONADV_RETURN_IF_ERROR(CheckEntry(entry, data_size));
  }
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const Entry& a, const Entry& b) { return a.data_offsets < b.data_offsets; });
  CONADV_RETURN_IF_ERROR(CheckCover(header.entries, data_size));

  // Other writers need not align the data.
  size_t data_begin = kLengthBytes + header_size;
  if (const size_t over = data_begin % alignof(float); over != 0) {
    bytes.insert(data_begin, alignof(float) - over, ' ');
    data_begin += alignof(float) - over;
  }
  SafetensorsFile file;
  file.bytes = std::move(bytes);
  file.metadata = std::move(header.metadata);
  for (Entry& entry : header.entries) {
    const auto* values =
        reinterpret_cast<const float*>(file.bytes.data() + data_begin + entry.data_offsets[0]);
    const size_t size = (entry.data_offsets[1] - entry.data_offsets[0]) / sizeof(float);
    file.tensors.push_back({std::move(entry.name), std::move(entry.shape), {values, size}});
  }
  return file;
}

}  // namespace conadv
