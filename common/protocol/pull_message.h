// SPDX-License-Identifier: Apache-2.0
// A pull's request and the header of its first part, from and to the wire. Pure functions.
#ifndef CONADV_COMMON_PROTOCOL_PULL_MESSAGE_H_
#define CONADV_COMMON_PROTOCOL_PULL_MESSAGE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "common/protocol/pull_selector.h"

namespace conadv {

struct PullQuery {
  PullSelector selector;
  uint64_t layout_hash = 0;  // 0: any
  Lineage lineage;           // 0: any; members of the run name theirs
};

std::string EncodePullQuery(const PullQuery& query);
// INVALID_ARGUMENT: not protobuf, nothing is selected, or a type that is not known here.
absl::StatusOr<PullQuery> ParsePullQuery(absl::string_view bytes);

struct PullHeader {
  Version version;
  Incarnation incarnation;  // of the process that answers
  uint64_t size = 0;        // elements of the shard's whole arena
  uint64_t layout_hash = 0;
  Lineage lineage;
  ElementType type = ElementType::kFloat32;  // of the payloads
};

std::string EncodePullHeader(const PullHeader& header);
// INVALID_ARGUMENT: it is not protobuf, or of a type that is not known here.
absl::StatusOr<PullHeader> ParsePullHeader(absl::string_view bytes);

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_PULL_MESSAGE_H_
