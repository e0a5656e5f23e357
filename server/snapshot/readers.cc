// SPDX-License-Identifier: Apache-2.0
#include "server/snapshot/readers.h"

#include <utility>

namespace conadv {
namespace {

bool HasRoom(const std::map<Version, size_t>& held, Version version, size_t most) {
  return held.count(version) > 0 || held.size() < most;
}

void Drop(std::map<Version, size_t>* held, Version version) {
  const auto found = held->find(version);
  if (--found->second == 0) held->erase(found);
}

}  // namespace

bool Readers::MayBegin(Version version, bool guest) const {
  return HasRoom(held_, version, options_.most_versions) &&
         (!guest || HasRoom(held_by_guests_, version, options_.most_for_guests));
}

void Readers::Begin(ReadId id, Version version, bool guest, LetGo let_go, absl::Time now) {
  readers_[id] = Reader{version, guest, now, std::move(let_go)};
  ++held_[version];
  if (guest) ++held_by_guests_[version];
}

void Readers::Move(ReadId id, absl::Time now) {
  const auto reader = readers_.find(id);
  if (reader != readers_.end()) reader->second.moved = now;
}

bool Readers::End(ReadId id) {
  const auto reader = readers_.find(id);
  if (reader == readers_.end()) return false;
  Drop(&held_, reader->second.version);
  if (reader->second.guest) Drop(&held_by_guests_, reader->second.version);
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
