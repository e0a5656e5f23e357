// SPDX-License-Identifier: Apache-2.0
#include "cli/board/event_record.h"

#include "absl/strings/str_cat.h"
#include "common/base/little_endian.h"
#include "common/tensor/crc32c.h"

namespace conadv {
namespace {

std::string Crc(absl::string_view bytes) { return LittleEndian(MaskedCrc32c(bytes), 4); }

}  // namespace

uint32_t MaskedCrc32c(absl::string_view bytes) {
  const uint32_t crc = ExtendCrc32c(0, bytes.data(), bytes.size());
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

std::string EventRecord(const tensorboard::Event& event) {
  const std::string bytes = event.SerializeAsString();
  const std::string length = LittleEndian(bytes.size());
  return absl::StrCat(length, Crc(length), bytes, Crc(bytes));
}

tensorboard::Event EventAt(uint64_t step, absl::Time wall_now) {
  tensorboard::Event event;
  event.set_step(static_cast<int64_t>(step));
  event.set_wall_time(absl::ToDoubleSeconds(wall_now - absl::UnixEpoch()));
  return event;
}

tensorboard::Event FirstEvent(absl::Time wall_now) {
  tensorboard::Event event = EventAt(0, wall_now);
  event.set_file_version("brain.Event:2");
  event.mutable_source_metadata()->set_writer("conadv");
  return event;
}

}  // namespace conadv
