// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/identity.h"

#include "absl/strings/str_cat.h"
#include "common/tensor/crc32c.h"

namespace conadv {
namespace {

uint32_t Extend(uint32_t crc, uint64_t number) {
  char bytes[sizeof(number)];
  for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<char>(number >> 8 * i);
  return ExtendCrc32c(crc, bytes, sizeof(bytes));
}

}  // namespace

std::string ToText(const CheckpointId& id) {
  return absl::StrCat("version ", id.version.value(), " (run ",
                      absl::Hex(id.run.value(), absl::kZeroPad16), ", lineage ",
                      absl::Hex(id.lineage.value(), absl::kZeroPad16), ")");
}

uint32_t LedgerDigest(uint64_t prefix, const std::set<uint64_t>& ahead) {
  uint32_t crc = Extend(0, prefix);
  for (const uint64_t unit : ahead) crc = Extend(crc, unit);
  return crc;
}

uint32_t JobDigest(absl::string_view job, absl::string_view plan) {
  const uint32_t crc = Extend(ExtendCrc32c(0, job.data(), job.size()), job.size());
  return ExtendCrc32c(crc, plan.data(), plan.size());
}

}  // namespace conadv
