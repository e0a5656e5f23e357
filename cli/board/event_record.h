// SPDX-License-Identifier: Apache-2.0
// TFRecord, the framing of TensorBoard's event files:
//   record := length crc(length) event crc(event)
//   length := fixed64, the event's bytes; crc := fixed32; both little-endian
// Pure functions.
#ifndef CONADV_CLI_BOARD_EVENT_RECORD_H_
#define CONADV_CLI_BOARD_EVENT_RECORD_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conadv/tensorboard/event.pb.h"

namespace conadv {

// CRC-32C, rotated right by 15 bits, plus 0xa282ead8: a crc of bytes that hold crcs is weak.
uint32_t MaskedCrc32c(absl::string_view bytes);

std::string EventRecord(const tensorboard::Event& event);

// An event with nothing in it yet.
tensorboard::Event EventAt(uint64_t step, absl::Time wall_now);

// What a file begins with.
tensorboard::Event FirstEvent(absl::Time wall_now);

}  // namespace conadv

#endif  // CONADV_CLI_BOARD_EVENT_RECORD_H_
