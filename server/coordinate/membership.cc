// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/membership.h"

#include <algorithm>
#include <utility>

namespace conadv {

Member& Membership::Add(HelloMessage hello, absl::Time now) {
  const MemberId id = next_id_;
  ++next_id_;
  Member& member = members_[id];
  member.id = id;
  member.hello = std::move(hello);
  member.hello.plan.reset();
  member.joined = member.heard = member.working_since = now;
  by_role_[IndexOf(member.hello.role)].insert(id);
  uninformed_[IndexOf(member.hello.role)].insert(id);
  if (member.hello.local) ++local_;
  return member;
}

void Membership::Remove(MemberId id) {
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  const size_t role = IndexOf(found->second.hello.role);
  if (found->second.hello.local) --local_;
  members_.erase(found);
  by_role_[role].erase(id);
  uninformed_[role].erase(id);
}

void Membership::Clear() {
  members_.clear();
  for (auto* const roles : {&by_role_, &uninformed_}) {
    for (std::set<MemberId>& ids : *roles) ids.clear();
  }
  local_ = 0;
}

const Member* Membership::Find(MemberId id) const {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : &found->second;
}

Member* Membership::Find(MemberId id) { return const_cast<Member*>(std::as_const(*this).Find(id)); }

Member* Membership::Find(MemberId id, Role role) {
  Member* const member = Find(id);
  return member != nullptr && member->hello.role == role ? member : nullptr;
}

Member* Membership::First(Role role) {
  const std::set<MemberId>& ids = With(role);
  return ids.empty() ? nullptr : &members_.at(*ids.begin());
}

std::vector<MemberId> Membership::TakeUninformed(Role role) {
  const std::set<MemberId> ids = std::exchange(uninformed_[IndexOf(role)], {});
  for (const MemberId id : ids) members_.at(id).finish_sent = true;
  return {ids.begin(), ids.end()};
}

std::vector<MemberId> Membership::Silent(absl::Time now, absl::Duration lease) {
  std::vector<MemberId> silent;
  for (auto& [id, member] : members_) {
    if (member.hello.local) member.heard = now;
    if (now - member.heard > lease) silent.push_back(id);
  }
  return silent;
}

void Membership::Forgive(absl::Duration away, absl::Time now) {
  for (auto& [id, member] : members_) {
    member.heard = std::min(member.heard + away, now);
    member.working_since = std::min(member.working_since + away, now);
  }
}

}  // namespace conadv
