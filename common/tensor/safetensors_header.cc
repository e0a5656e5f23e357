// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/safetensors_header.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "nlohmann/json.hpp"

namespace conadv {
namespace {

using Json = nlohmann::json;

// Far more than any tensor has.
constexpr size_t kMostDimensions = 64;

// Events of the parser; each returns false to stop it, with the reason in error().
class HeaderReader final : public nlohmann::json_sax<Json> {
 public:
  const std::string& error() const { return error_; }
  SafetensorsHeader Take() { return std::move(header_); }

  bool start_object(size_t) override {
    switch (where_) {
      case Where::kStart: where_ = Where::kTop; return true;
      case Where::kMetadataValue: where_ = Where::kMetadata; return true;
      case Where::kTensorValue: where_ = Where::kTensor; return true;
      default: return Fail("an object where there must be none");
    }
  }

  bool end_object() override {
    if (where_ == Where::kTop) {
      where_ = Where::kEnd;
      return true;
    }
    if (where_ == Where::kTensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_.contains(field)) return Fail(absl::StrCat("no ", field));
      }
      fields_.clear();
    }
    where_ = Where::kTop;
    return true;
  }

  bool key(string_t& name) override {
    switch (where_) {
      case Where::kTop:
        if (!names_.insert(name).second) return Fail(absl::StrCat("two entries named ", name));
        if (name == "__metadata__") {
          where_ = Where::kMetadataValue;
        } else {
          header_.entries.push_back({name, {}, {}, {}});
          where_ = Where::kTensorValue;
        }
        return true;
      case Where::kMetadata:
        metadata_key_ = name;
        if (header_.metadata.emplace(name, "").second) return true;
        return Fail(absl::StrCat("two metadata entries named ", name));
      default:
        if (name != "dtype" && name != "shape" && name != "data_offsets") {
          return Fail(absl::StrCat("unknown field ", name));
        }
        field_ = name;
        return fields_.insert(name).second || Fail(absl::StrCat("two fields named ", name));
    }
  }

  bool string(string_t& value) override {
    if (where_ == Where::kMetadata) {
      header_.metadata[metadata_key_] = value;
      return true;
    }
    if (where_ == Where::kTensor && field_ == "dtype") {
      header_.entries.back().dtype = value;
      return true;
    }
    return Fail("a string where there must be none");
  }

  bool start_array(size_t) override {
    if (where_ != Where::kTensor || field_ == "dtype") {
      return Fail("a list where there must be none");
    }
    where_ = Where::kList;
    return true;
  }

  bool end_array() override {
    where_ = Where::kTensor;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (where_ != Where::kList) return Fail("a number where there must be none");
    SafetensorsHeader::Entry& entry = header_.entries.back();
    std::vector<uint64_t>& list = field_ == "shape" ? entry.shape : entry.data_offsets;
    if (list.size() == kMostDimensions) return Fail(absl::StrCat("too many numbers in ", field_));
    list.push_back(value);
    return true;
  }

  bool number_integer(number_integer_t) override { return Fail("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return Fail("a number that is not whole or does not fit 64 bits");
  }
  bool null() override { return Fail("a null"); }
  bool boolean(bool) override { return Fail("a boolean"); }
  bool binary(binary_t&) override { return Fail("binary data"); }
  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    return Fail(absl::StrCat("no valid JSON at byte ", position));
  }

 private:
  enum class Where { kStart, kTop, kMetadataValue, kMetadata, kTensorValue, kTensor, kList, kEnd };

  bool Fail(absl::string_view what) {
    error_ = std::string(what);
    const bool in_tensor =
        where_ == Where::kTensorValue || where_ == Where::kTensor || where_ == Where::kList;
    if (in_tensor) error_ = absl::StrCat("tensor ", header_.entries.back().name, ": ", what);
    return false;
  }

  Where where_ = Where::kStart;
  SafetensorsHeader header_;
  absl::flat_hash_set<std::string> names_;   // of the top level, so far
  absl::flat_hash_set<std::string> fields_;  // of this tensor, so far
  std::string field_;
  std::string metadata_key_;
  std::string error_;
};

}  // namespace

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view json) {
  HeaderReader reader;
  if (!Json::sax_parse(json.begin(), json.end(), &reader)) {
    return absl::InvalidArgumentError(
        absl::StrCat("safetensors header: ", Printable(reader.error())));
  }
  return reader.Take();
}

}  // namespace conadv
