// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/property.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace conadv::fuzz {

void Require(bool holds, absl::string_view property, absl::string_view detail) {
  if (holds) return;
  const std::string line = absl::StrCat("does not hold: ", property, "\n", detail, "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::abort();
}

bool IsText(absl::string_view bytes) {
  const bool control = std::any_of(bytes.begin(), bytes.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
  });
  if (control) return false;
  // The strict writer of JSON refuses what is not UTF-8.
  try {
    static_cast<void>(nlohmann::json(std::string(bytes)).dump());
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

void RequireRefusal(const absl::Status& refusal, absl::StatusCode code, size_t input_size) {
  constexpr size_t kMostOwnWords = 4096;
  // \xAB for a byte, or a line for a field of two bytes.
  constexpr size_t kMostForAByte = 128;
  Require(refusal.code() == code, "the refusal has the code that its header names",
          refusal.ToString());
  Require(!refusal.message().empty(), "a refusal says why");
  Require(IsText(refusal.message()), "a refusal's message is text", refusal.message());
  Require(refusal.message().size() <= kMostOwnWords + kMostForAByte * input_size,
          "a refusal's message is not much longer than its input", refusal.message());
}

}  // namespace conadv::fuzz
