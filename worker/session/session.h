// SPDX-License-Identifier: Apache-2.0
// One Join stream with the coordinator: messages out, events in, heartbeats by themselves. When it
// breaks it is over; whoever wants to go on starts another. Thread-safe.
#ifndef CONADV_WORKER_SESSION_SESSION_H_
#define CONADV_WORKER_SESSION_SESSION_H_

#include <grpcpp/channel.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/plan/plan.h"
#include "common/protocol/tau_schedule.h"
#include "common/thread/timer.h"
#include "worker/statistics/statistics.h"

namespace conadv {

struct SessionHello {
  bool evaluator = false;
  std::string name;
  Incarnation incarnation;
  uint32_t threads = 0;
  std::vector<std::string> servers;  // the shards' addresses as it was told; empty: it was not
  std::shared_ptr<const Plan> plan;  // workers: what they would train
};

struct SessionWelcome {
  MemberId member;
  absl::Duration lease;
  uint64_t steps = 0;  // length of the run; 0 if it is not known yet
  Lineage lineage;     // of the weights, for every call to the parameter servers
  TauChanges tau;      // what was set while the run went on
};

// Called one at a time, on gRPC's threads; must not block.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  virtual void OnWelcome(const SessionWelcome& welcome) = 0;
  virtual void OnOffer() = 0;
  virtual void OnGrant(std::vector<Unit> units) = 0;
  virtual void OnEvaluate(Version version, bool robust) = 0;
  virtual void OnFinished() = 0;
  // Replaces what the welcome said; before any unit that it changes.
  virtual void OnSettings(const TauChanges& /*tau*/) {}
  // An operator wants this member to leave.
  virtual void OnDrain() {}
  // The last event. OK: the coordinator ended the stream, as it does after a leave.
  virtual void OnClosed(const absl::Status& status) = 0;
};

class Session {
 public:
  virtual ~Session() = default;
  virtual void Done(Unit unit) = 0;
  virtual void Failed(Unit unit, const std::string& reason) = 0;
  virtual void Offered() = 0;
  // Nothing may be sent after it.
  virtual void Leave() = 0;
  // Ends the stream without a leave.
  virtual void Cancel() = 0;
};

// `listener`, `timer` and `statistics` outlive the stream, which is over with OnClosed.
std::shared_ptr<Session> StartSession(const std::shared_ptr<grpc::Channel>& channel,
                                      const SessionHello& hello, SessionListener* listener,
                                      Timer* timer, const WorkerStatistics* statistics);

}  // namespace conadv

#endif  // CONADV_WORKER_SESSION_SESSION_H_
