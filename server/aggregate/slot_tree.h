// SPDX-License-Identifier: Apache-2.0
// The fixed binary tree over a step's slots, in which contributions are added: the order of
// additions depends on the slots alone, never on who came first, so the sum is the same bits.
// Bookkeeping only: the caller adds. Not thread-safe.
//
//   level 2          (0)            a node without a sibling moves up as it is
//   level 1      (0)     (1)
//   level 0    (0) (1) (2)          the slots
#ifndef CONADV_SERVER_AGGREGATE_SLOT_TREE_H_
#define CONADV_SERVER_AGGREGATE_SLOT_TREE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "common/tensor/arena.h"

namespace conadv {

class SlotTree {
 public:
  struct Node {
    uint32_t level = 0;
    uint32_t index = 0;
  };
  // What to do with a value that was placed.
  struct Next {
    enum Kind { kParked, kAdd, kRoot };
    Kind kind = kParked;
    std::shared_ptr<Arena> left;  // kAdd: left += right, then Place(parent, left). kRoot: the sum
    std::shared_ptr<Arena> right;
    Node parent;
  };

  // REQUIRES: slots ≥ 1.
  explicit SlotTree(uint32_t slots);

  // Takes a slot for its first contribution; false if it is taken. REQUIRES: slot < slots.
  bool Claim(uint32_t slot);
  bool claimed(uint32_t slot) const { return claimed_[slot]; }
  uint32_t claims() const { return claims_; }
  // The first slot that is not claimed; `slots` if all are. Trees that are filled in this order
  // hold no more values than they have levels.
  uint32_t first_unclaimed() const { return first_unclaimed_; }

  // A node's value is complete.
  Next Place(Node node, std::shared_ptr<Arena> value);

 private:
  std::vector<bool> claimed_;
  uint32_t claims_ = 0;
  uint32_t first_unclaimed_ = 0;
  std::vector<std::vector<std::shared_ptr<Arena>>> parked_;  // [level][index]
};

}  // namespace conadv

#endif  // CONADV_SERVER_AGGREGATE_SLOT_TREE_H_
