// SPDX-License-Identifier: Apache-2.0
// What a push says of the gradients that it carries, and what becomes of them. Plain values.
#ifndef CONADV_COMMON_PROTOCOL_CONTRIBUTION_H_
#define CONADV_COMMON_PROTOCOL_CONTRIBUTION_H_

#include <string>

#include "common/base/ids.h"

namespace conadv {

struct Contribution {
  Unit unit;
  StreamIndex stream{};
  std::string worker;      // who computed it
  Version update_version;  // the weights of the gradient
  Version attack_version;  // the weights of the attack, at most update_version; of a stream that is
                           // attacked
  float loss = 0;          // mean over the slot
  float accuracy = 0;      // fraction of the slot
  Lineage lineage;         // of the weights; 0: not said
};

enum class PushOutcome { kAccepted, kDuplicate };

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_CONTRIBUTION_H_
