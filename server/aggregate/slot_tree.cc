// SPDX-License-Identifier: Apache-2.0
#include "server/aggregate/slot_tree.h"

#include <utility>

namespace conadv {

SlotTree::SlotTree(uint32_t slots) : claimed_(slots, false) {
  for (uint32_t width = slots;; width = (width + 1) / 2) {
    parked_.emplace_back(width);
    if (width == 1) break;
  }
}

bool SlotTree::Claim(uint32_t slot) {
  if (claimed_[slot]) return false;
  claimed_[slot] = true;
  ++claims_;
  while (first_unclaimed_ < claimed_.size() && claimed_[first_unclaimed_]) ++first_unclaimed_;
  return true;
}

SlotTree::Next SlotTree::Place(Node node, std::shared_ptr<Arena> value) {
  // Up past levels on which the node has no sibling.
  while (node.level + 1 < parked_.size() && (node.index ^ 1) >= parked_[node.level].size()) {
    node = {node.level + 1, node.index / 2};
  }
  if (node.level + 1 == parked_.size()) return {Next::kRoot, std::move(value), nullptr, node};
  std::shared_ptr<Arena>& sibling = parked_[node.level][node.index ^ 1];
  const Node parent{node.level + 1, node.index / 2};
  if (sibling == nullptr) {
    parked_[node.level][node.index] = std::move(value);
    return {Next::kParked, nullptr, nullptr, parent};
  }
  std::shared_ptr<Arena> other = std::exchange(sibling, nullptr);
  if (node.index % 2 == 0) return {Next::kAdd, std::move(value), std::move(other), parent};
  return {Next::kAdd, std::move(other), std::move(value), parent};
}

}  // namespace conadv
