// SPDX-License-Identifier: Apache-2.0
// What a simulated worker pretends to be, as --simulate says it. Plain values and a pure function.
#ifndef CONADV_WORKER_SIMULATE_SIMULATION_H_
#define CONADV_WORKER_SIMULATE_SIMULATION_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace conadv {

struct Simulation {
  // How long a lane is busy with a unit's attack, and with each pass of it: `clean` is that of
  // every stream that takes images as they were loaded.
  absl::Duration attack = absl::Milliseconds(50);
  absl::Duration clean = absl::Milliseconds(50);
  absl::Duration adversarial = absl::Milliseconds(50);
  uint64_t parameters = 25'000'000;  // of the model
  int lanes = 3;                     // passes at once
};

// "attack=50ms,clean=50ms,adversarial=50ms,parameters=25M,lanes=3": any of them, in any order; what
// is left out is as above. INVALID_ARGUMENT names the field, and says what it may be.
absl::StatusOr<Simulation> ParseSimulation(absl::string_view text);

}  // namespace conadv

#endif  // CONADV_WORKER_SIMULATE_SIMULATION_H_
