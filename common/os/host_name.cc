// SPDX-License-Identifier: Apache-2.0
#include "common/os/host_name.h"

#include <unistd.h>

namespace conadv {

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

}  // namespace conadv
