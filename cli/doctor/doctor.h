// SPDX-License-Identifier: Apache-2.0
// The command `doctor`.
#ifndef CONADV_CLI_DOCTOR_DOCTOR_H_
#define CONADV_CLI_DOCTOR_DOCTOR_H_

#include "cli/command/command.h"

namespace conadv {

Command DoctorCommand();

}  // namespace conadv

#endif  // CONADV_CLI_DOCTOR_DOCTOR_H_
