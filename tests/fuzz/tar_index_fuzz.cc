// SPDX-License-Identifier: Apache-2.0
// A tar file is refused with a reason, or its members lie in it, one after the other; and their
// names are paired, or refused with a reason.
//   input := the file, whose headers get right checksums where they have the mark of one (0xff)
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"
#include "tests/worker/data/memory_file.h"
#include "worker/data/encoded/shard_keys.h"
#include "worker/data/encoded/tar_header.h"
#include "worker/data/encoded/tar_index.h"

namespace conadv::fuzz {
namespace {

constexpr size_t kChecksum = 148, kDigits = 6;

// A checksum that an engine would have to guess hides everything behind it.
void RightChecksums(std::string* bytes) {
  for (size_t at = 0; at + kTarBlock <= bytes->size(); at += kTarBlock) {
    if ((*bytes)[at + kChecksum] != '\xff') continue;
    bytes->replace(at + kChecksum, kDigits + 2, kDigits + 2, ' ');
    uint32_t sum = 0;
    for (size_t i = 0; i < kTarBlock; ++i) sum += static_cast<uint8_t>((*bytes)[at + i]);
    for (size_t digit = 0; digit < kDigits; ++digit, sum /= 8) {
      (*bytes)[at + kChecksum + kDigits - 1 - digit] = static_cast<char>('0' + sum % 8);
    }
  }
}

void TestPairs(std::vector<TarMember> members, size_t size) {
  const size_t before = members.size();
  const absl::StatusOr<std::vector<ShardExample>> pairs = PairMembers(std::move(members));
  if (!pairs.ok()) {
    RequireRefusal(pairs.status(), absl::StatusCode::kInvalidArgument, size);
    return;
  }
  Require(2 * pairs->size() <= before, "an example has two members");
  for (const ShardExample& pair : *pairs) {
    Require(!pair.image.name.empty() && !pair.label.name.empty(), "both are there");
  }
}

void TestFile(std::string bytes) {
  const size_t size = bytes.size();
  const MemoryFile file(std::move(bytes));
  // Names, and the vector of them that grows with its old one beside it.
  const AllocationMeter meter;
  absl::StatusOr<std::vector<TarMember>> members = ReadTarIndex(file);
  RequireBounded(meter, (size_t{64} << 10) + 4 * size);
  if (!members.ok()) {
    RequireRefusal(members.status(), absl::StatusCode::kInvalidArgument, size);
    return;
  }
  uint64_t end = 0;
  for (const TarMember& member : *members) {
    Require(member.offset >= end + kTarBlock, "a header is before each member");
    Require(member.offset <= size && member.size <= size - member.offset, "it lies in the file");
    end = member.offset + member.size;
  }
  TestPairs(*std::move(members), size);
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  conadv::fuzz::RightChecksums(&bytes);
  conadv::fuzz::TestFile(std::move(bytes));
  return 0;
}
