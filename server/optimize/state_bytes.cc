// SPDX-License-Identifier: Apache-2.0
#include "server/optimize/state_bytes.h"

#include <variant>

namespace conadv {
namespace {

struct StateTensors {
  uint64_t operator()(const SgdOptions& options) const { return options.momentum > 0 ? 1 : 0; }
  uint64_t operator()(const LarsOptions&) const { return 1; }
  uint64_t operator()(const AdamWOptions&) const { return 2; }
  uint64_t operator()(const LambOptions&) const { return 2; }
};

}  // namespace

uint64_t StateBytesOf(const OptimizerOptions& options, size_t arena_size) {
  return std::visit(StateTensors{}, options.rule) * arena_size * sizeof(float);
}

}  // namespace conadv
