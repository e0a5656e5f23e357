// SPDX-License-Identifier: Apache-2.0
#include "server/snapshot/readers.h"

#include <utility>

namespace conadv {

void Readers::Begin(ReadId id, Version version, LetGo let_go, absl::Time now) {
  readers_[id] = Reader{version, now, std::move(let_go)};
  ++held_[version];
}

void Readers::Move(ReadId id, absl::Time now) {
  const auto reader = readers_.find(id);
  if (reader != readers_.end()) reader->second.moved = now;
}

bool Readers::End(ReadId id) {
  const auto reader = readers_.find(id);
  if (reader == readers_.end()) return false;
  const auto held = held_.find(reader->second.version);
  if (--held->second == 0) held_.erase(held);
  readers_.erase(reader);
  return true;
}

void Readers::LetGoOfIdle(absl::Time now) {
  for (auto& [id, reader] : readers_) {
    if (reader.let_go == nullptr || now - reader.moved < options_.patience) continue;
    std::exchange(reader.let_go, nullptr)();
  }
}

}  // namespace conadv
