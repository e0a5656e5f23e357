// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire types (https://protobuf.dev/programming-guides/encoding); the others, groups, are
// none of proto3's.
#ifndef CONADV_COMMON_WIRE_WIRE_TYPE_H_
#define CONADV_COMMON_WIRE_WIRE_TYPE_H_

#include <cstdint>

namespace conadv {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_WIRE_TYPE_H_
