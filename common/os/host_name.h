// SPDX-License-Identifier: Apache-2.0
// What this machine is called. Stateless, thread-safe.
#ifndef CONADV_COMMON_OS_HOST_NAME_H_
#define CONADV_COMMON_OS_HOST_NAME_H_

#include <string>

namespace conadv {

// Empty: the system does not say.
std::string HostName();

}  // namespace conadv

#endif  // CONADV_COMMON_OS_HOST_NAME_H_
