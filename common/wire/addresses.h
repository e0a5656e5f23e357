// SPDX-License-Identifier: Apache-2.0
// Lists of addresses as flags spell them. Pure functions.
#ifndef CONADV_COMMON_WIRE_ADDRESSES_H_
#define CONADV_COMMON_WIRE_ADDRESSES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

// "a:1,b-{0..2}.svc:7000" → a:1 b-0.svc:7000 b-1.svc:7000 b-2.svc:7000, and so does
// "a:1,b-{3}.svc:7000": a count alone, which is all that a manifest has to fill in. At most one
// range an item, at most 4096 addresses. INVALID_ARGUMENT names the item: no port, a port outside
// 1–65535, a broken range, an address twice.
absl::StatusOr<std::vector<std::string>> ExpandAddresses(absl::string_view list);

// The number at the end of a host's name before its first dot, as a StatefulSet gives it:
// "conadv-server-12.svc" → 12. INVALID_ARGUMENT: there is none.
absl::StatusOr<uint32_t> OrdinalOf(absl::string_view host_name);

// Whether it is HOST:PORT, of which port 0 picks a free one. INVALID_ARGUMENT says what is wrong.
absl::Status CheckListenAddress(absl::string_view address);

// Whether HOST:PORT stands for every address of a machine, which nobody can connect to by it.
bool IsWildcard(absl::string_view address);

// Whether HOST:PORT names an address that only this machine can reach.
bool IsLoopback(absl::string_view address);

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_ADDRESSES_H_
