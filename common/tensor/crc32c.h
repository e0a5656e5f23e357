// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli; RFC 3720, appendix B.4), through ISA-L. Pure functions.
#ifndef CONADV_COMMON_TENSOR_CRC32C_H_
#define CONADV_COMMON_TENSOR_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace conadv {

// The crc of the concatenation of what `crc` covers and `size` bytes at `bytes`. Of nothing it is
// 0.
uint32_t ExtendCrc32c(uint32_t crc, const void* bytes, size_t size);

}  // namespace conadv

#endif  // CONADV_COMMON_TENSOR_CRC32C_H_
