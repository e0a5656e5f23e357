// SPDX-License-Identifier: Apache-2.0
// What was set while a run goes on, from and to the wire. Pure functions.
#ifndef CONADV_COMMON_PROTOCOL_TAU_PROTO_H_
#define CONADV_COMMON_PROTOCOL_TAU_PROTO_H_

#include "common/protocol/tau_schedule.h"
#include "conadv/v1/coordinator.pb.h"

namespace conadv {

inline TauChanges FromProto(const v1::Settings& settings) {
  TauChanges changes;
  for (const v1::TauChange& change : settings.tau()) {
    changes.push_back({Step(change.step()), change.tau()});
  }
  return changes;
}

inline v1::Settings ToProto(const TauChanges& changes) {
  v1::Settings settings;
  for (const TauChange& change : changes) {
    v1::TauChange* const out = settings.add_tau();
    out->set_step(change.step.value());
    out->set_tau(change.tau);
  }
  return settings;
}

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_TAU_PROTO_H_
