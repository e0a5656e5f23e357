// SPDX-License-Identifier: Apache-2.0
// Who takes part in a run. Pure state; not thread-safe.
#ifndef CONADV_SERVER_COORDINATE_MEMBERSHIP_H_
#define CONADV_SERVER_COORDINATE_MEMBERSHIP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/coordinate/member.h"

namespace conadv {

struct Member {
  MemberId id;
  HelloMessage hello;  // without the plan: every view would copy a large model's
  absl::Time joined;
  absl::Time heard;
  uint64_t units_done = 0;
  bool finish_sent = false;  // it knows that the run is over
  // Since when it works on what it holds. kEvaluator: when it progressed last. kShard: when it
  // began its task.
  absl::Time working_since;
  bool straggles = false;  // kWorker
  bool drains = false;     // kWorker: it was told to leave
  uint64_t progress = 0;   // of its last heartbeat. kShard: its oldest task; 0: it has none
};

class Membership {
 public:
  Member& Add(HelloMessage hello, absl::Time now);
  void Remove(MemberId id);
  void Clear();
  // nullptr: it is none.
  Member* Find(MemberId id);
  const Member* Find(MemberId id) const;
  // The same, of another role too.
  Member* Find(MemberId id, Role role);

  const std::map<MemberId, Member>& all() const { return members_; }
  // In the order in which they joined.
  const std::set<MemberId>& With(Role role) const { return by_role_[IndexOf(role)]; }
  // The first to join of those who are there; nullptr without any.
  Member* First(Role role);
  bool only_shards() const { return members_.size() == With(Role::kShard).size(); }
  // Whether nobody is left but the coordinator's own process.
  bool only_local() const { return members_.size() == local_; }

  // Those of a role who do not know yet that the run is over. From now on they do.
  std::vector<MemberId> TakeUninformed(Role role);
  // Who has not been heard for longer than `lease`. The coordinator's own process always is.
  std::vector<MemberId> Silent(absl::Time now, absl::Duration lease);
  // Nobody could be heard for that long: it does not count against anyone.
  void Forgive(absl::Duration away, absl::Time now);

 private:
  static constexpr size_t kRoles = 4;
  static size_t IndexOf(Role role) { return static_cast<size_t>(role); }

  MemberId next_id_{1};
  std::map<MemberId, Member> members_;
  std::array<std::set<MemberId>, kRoles> by_role_;
  std::array<std::set<MemberId>, kRoles> uninformed_;
  size_t local_ = 0;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_MEMBERSHIP_H_
