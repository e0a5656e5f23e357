// SPDX-License-Identifier: Apache-2.0
// Units of work, from and to the wire. Pure functions.
#ifndef CONADV_COMMON_PROTOCOL_UNIT_PROTO_H_
#define CONADV_COMMON_PROTOCOL_UNIT_PROTO_H_

#include "common/base/ids.h"
#include "conadv/v1/coordinator.pb.h"

namespace conadv {

inline Unit FromProto(const v1::Unit& unit) { return {Step(unit.step()), Slot(unit.slot())}; }

inline v1::Unit ToProto(const Unit& unit) {
  v1::Unit proto;
  proto.set_step(unit.step.value());
  proto.set_slot(static_cast<uint32_t>(unit.slot.value()));
  return proto;
}

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_UNIT_PROTO_H_
