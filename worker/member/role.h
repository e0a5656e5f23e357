// SPDX-License-Identifier: Apache-2.0
// What a member does in its sessions: train or evaluate. Called one at a time, on the member's
// thread; must not block for long.
#ifndef CONADV_WORKER_MEMBER_ROLE_H_
#define CONADV_WORKER_MEMBER_ROLE_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "common/base/ids.h"
#include "worker/session/session.h"

namespace conadv {

// What a role tells its member, from any thread.
struct RoleEvents {
  // The session has to be made anew.
  std::function<void(const absl::Status&)> broken;
  // Nothing is in hand any more: after Drain().
  std::function<void()> drained;
};

class MemberRole {
 public:
  virtual ~MemberRole() = default;
  virtual SessionHello Hello() const = 0;
  virtual void SetEvents(RoleEvents events) = 0;
  // A session begins: what the role has to say goes there.
  virtual void Begin(std::shared_ptr<Session> session, const SessionWelcome& welcome) = 0;
  // What was set while the run went on: before any unit that it changes.
  virtual void Settings(const TauChanges& /*tau*/) {}
  virtual void Offer() {}
  virtual void Grant(const std::vector<Unit>& units) = 0;
  virtual void Evaluate(Version version, bool robust) = 0;
  // Finishes what it is about to push, takes nothing new, then calls `drained`.
  virtual void Drain() = 0;
  // The session has ended: forgets all that was in hand.
  virtual void Drop() = 0;
  // Ends every thread and call of the role. The last.
  virtual void Stop() = 0;
  // Grows with what the role has achieved.
  virtual uint64_t progress() const = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_ROLE_H_
