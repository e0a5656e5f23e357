// SPDX-License-Identifier: Apache-2.0
// What is evaluated, by whom, and when the final evaluation is done or given up. Pure state; not
// thread-safe.
#ifndef CONADV_SERVER_COORDINATE_EVALUATION_H_
#define CONADV_SERVER_COORDINATE_EVALUATION_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/job/job.h"
#include "server/coordinate/event.h"
#include "server/coordinate/membership.h"

namespace conadv {

class Evaluation {
 public:
  // Both outlive it. `patience`: how long, after the last step or after an evaluator was lost, one
  // is waited for. One that is there and progresses is always waited for.
  Evaluation(const Job* job, absl::Duration patience, Membership* members)
      : job_(*job), patience_(patience), members_(members) {}

  // Shard 0 published a version; `last` is the run's.
  void OnPublished(Version version, Version last, absl::Time now, Actions* actions);
  // `trained`: the last step is done. INVALID_ARGUMENT: what CheckEvaluation() refuses.
  absl::Status OnResult(const EvaluationResult& result, Version last, bool trained);
  // An evaluator is gone.
  void OnGone(MemberId id, bool trained, absl::Time now);
  // The one that works, if it has not progressed for `timeout`. It then counts as stuck.
  std::optional<MemberId> TakeStuck(absl::Duration timeout, absl::Time now);
  // Once the last step is done: has the last version evaluated, and says whether that is over.
  bool Finish(Version last, absl::Time trained_at, absl::Time now, Actions* actions);

  const std::optional<EvaluationResult>& result() const { return result_; }  // the last one
  // Why there is no final result, if there will be none; else empty.
  std::string warning() const;

 private:
  // One may have been unlucky; from then on it is the model, or the data.
  static constexpr int kMostStuck = 2;
  // Those that were lost in the last evaluation: no other is waited for after so many.
  static constexpr int kMostLost = 6;

  // Has the version evaluated if there is an evaluator without work.
  void Start(Version version, bool robust, absl::Time now, Actions* actions);

  const Job& job_;
  const absl::Duration patience_;
  Membership* const members_;
  std::optional<MemberId> evaluating_;
  absl::Time lost_at_ = absl::InfinitePast();  // the last one
  int stuck_ = 0;                              // one after another, without a result
  int lost_ = 0;                               // in the last evaluation
  bool over_ = false;
  std::optional<EvaluationResult> result_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_EVALUATION_H_
