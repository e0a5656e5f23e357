// SPDX-License-Identifier: Apache-2.0
// Labels that several metrics have. Pure functions.
#ifndef CONADV_SERVER_METRICS_LABELS_H_
#define CONADV_SERVER_METRICS_LABELS_H_

#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "server/metrics/exposition.h"
#include "server/rpc/inspect/views.h"

namespace conadv {

// Of what a return to a checkpoint begins anew.
inline Exposition::Labels LineageLabel(const ServerParts& parts) {
  return {{"lineage", absl::StrFormat("%016x", parts.shard->lineage().value())}};
}

inline Exposition::Labels With(Exposition::Labels labels, absl::string_view name,
                               absl::string_view value) {
  labels.emplace_back(std::string(name), std::string(value));
  return labels;
}

}  // namespace conadv

#endif  // CONADV_SERVER_METRICS_LABELS_H_
