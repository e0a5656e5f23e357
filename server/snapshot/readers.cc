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

void Readers::Begin(ReadId id, Version version, bool guest, Evict evict, absl::Time now) {
  readers_[id] = Reader{version, guest};
  idle_.Begin(id, std::move(evict), now);
  ++held_[version];
  if (guest) ++held_by_guests_[version];
}

bool Readers::End(ReadId id) {
  const auto reader = readers_.find(id);
  if (reader == readers_.end()) return false;
  Drop(&held_, reader->second.version);
  if (reader->second.guest) Drop(&held_by_guests_, reader->second.version);
  readers_.erase(reader);
  idle_.End(id);
  return true;
}

}  // namespace conadv
