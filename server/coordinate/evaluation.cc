// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/evaluation.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
void Evaluation::OnPublished(Version version, Version last, absl::Time now, Actions* actions) {
  const uint64_t every = job_.evaluation.every * job_.training.updates_per_step();
  const bool due = every > 0 && version.value() > 0 && version.value() % every == 0;
  if (due && version < last) Start(version, /*robust=*/false, now, actions);
}

void Evaluation::Start(Version version, bool robust, absl::Time now, Actions* actions) {
  Member* const evaluator = members_->First(Role::kEvaluator);
  if (evaluator == nullptr || evaluating_.has_value()) return;
  evaluating_ = evaluator->id;
  evaluator->working_since = now;
  actions->push_back(SendAction{evaluator->id, EvaluateMessage{version, robust}});
}

absl::Status Evaluation::OnResult(const EvaluationResult& result, Version last, bool trained) {
  CONADV_RETURN_IF_ERROR(CheckEvaluation(result));
  result_ = result;
  evaluating_.reset();
  stuck_ = 0;
  // One that was asked for earlier may have found the last version, but it left out the attack.
  const bool whole = job_.evaluation.attack_steps == 0 || result.robust_accuracy.has_value();
  if (trained && whole && result.version >= last) over_ = true;
  return absl::OkStatus();
}

void Evaluation::OnGone(MemberId id, bool trained, absl::Time now) {
  lost_at_ = now;
  if (evaluating_ != id) return;
  evaluating_.reset();
  if (trained) ++lost_;
}

std::optional<MemberId> Evaluation::TakeStuck(absl::Duration timeout, absl::Time now) {
  if (!evaluating_.has_value()) return std::nullopt;
  const Member* const evaluator = members_->Find(*evaluating_);
  if (evaluator == nullptr || now - evaluator->working_since <= timeout) return std::nullopt;
  ++stuck_;
  return evaluating_;
}

bool Evaluation::Finish(Version last, absl::Time trained_at, absl::Time now, Actions* actions) {
  if (stuck_ >= kMostStuck || lost_ >= kMostLost) over_ = true;  // without a result
  if (over_) return true;
  if (members_->First(Role::kEvaluator) != nullptr) {
    Start(last, job_.evaluation.attack_steps > 0, now, actions);
    return false;
  }
  over_ = now - std::max(trained_at, lost_at_) >= patience_;
  return over_;
}

std::string Evaluation::warning() const {
  if (stuck_ >= kMostStuck) {
    return absl::StrCat("no final evaluation: ", stuck_, " evaluators were stuck");
  }
  if (lost_ >= kMostLost) {
    return absl::StrCat("no final evaluation: ", lost_, " evaluators were lost in it");
  }
  return "";
}

}  // namespace conadv
