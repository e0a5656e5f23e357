// SPDX-License-Identifier: Apache-2.0
// Which members of a shard are one example, in WebDataset's layout: those of one name up to the
// first dot of its last part, KEY.jpg and KEY.cls. Pure functions.
#ifndef CONADV_WORKER_DATA_ENCODED_SHARD_KEYS_H_
#define CONADV_WORKER_DATA_ENCODED_SHARD_KEYS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/encoded/tar_index.h"

namespace conadv {

struct ShardExample {
  std::string key;
  TarMember image;
  TarMember label;  // its .cls
};

// In the order of their images. Members of other kinds are left out. INVALID_ARGUMENT names the
// member: an image without a class or the other way round, two of a key, an image of a kind that is
// not read.
absl::StatusOr<std::vector<ShardExample>> PairMembers(std::vector<TarMember> members);

// A class's number as a .cls member has it. INVALID_ARGUMENT: it is none.
absl::StatusOr<uint32_t> ParseClass(absl::string_view text);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_SHARD_KEYS_H_
