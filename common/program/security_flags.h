// SPDX-License-Identifier: Apache-2.0
// --tls_ca, --tls_cert, --tls_key and --token_file of the programs that take part in a run.
#ifndef CONADV_COMMON_PROGRAM_SECURITY_FLAGS_H_
#define CONADV_COMMON_PROGRAM_SECURITY_FLAGS_H_

#include "common/security/security_files.h"

namespace conadv {

// What they or the environment say. Not checked.
SecurityFiles SecurityFlags();

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_SECURITY_FLAGS_H_
