// SPDX-License-Identifier: Apache-2.0
// What a push says of the gradients that it carries, and what becomes of them. Plain values.
#ifndef CONADV_COMMON_PROTOCOL_CONTRIBUTION_H_
#define CONADV_COMMON_PROTOCOL_CONTRIBUTION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/ids.h"

namespace conadv {

// Of an attack's staleness, in versions; the rest arose while the unit, and then its adversarial
// examples, waited in the worker.
struct AttackOrigins {
  uint32_t lease = 0;    // before the worker had the unit
  uint32_t compute = 0;  // while the attack was computed
};

struct Contribution {
  Unit unit;
  StreamIndex stream{};
  std::string worker;      // who computed it
  Version update_version;  // the weights of the gradient
  Version attack_version;  // the weights of the attack, at most update_version; of a stream that is
                           // attacked
  float loss = 0;          // mean over the slot
  float accuracy = 0;      // fraction of the slot
  // Of a stream that is attacked: between the attack's gradient and that with the update's weights,
  // where it was measured; and where the staleness arose, where that is known.
  std::optional<float> attack_cosine;
  std::optional<AttackOrigins> attack_origins;
  // The shard's newest version when the contribution had come; not on the wire.
  Version newest_on_arrival;
  Lineage lineage;  // of the weights; 0: not said
};

enum class PushOutcome { kAccepted, kDuplicate };

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_CONTRIBUTION_H_
