// SPDX-License-Identifier: Apache-2.0
// Where contributions go; interfaces, so that the pipeline needs no network in tests.
#ifndef CONADV_CLIENT_TRANSFER_CONTRIBUTION_SINK_H_
#define CONADV_CLIENT_TRANSFER_CONTRIBUTION_SINK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/protocol/contribution.h"
#include "common/tensor/arena.h"

namespace conadv {

// A contribution whose gradients are still being computed. One thread at a time. Whoever has one
// ends it, by Finish or Abandon.
class OpenPush {
 public:
  virtual ~OpenPush() = default;
  // All elements of a tensor (its place in the layout's list) and its padding are final; each
  // tensor once. It may leave at once, whatever its place in the arena.
  virtual void Ready(size_t placement) = 0;
  // So is everything else.
  virtual void Finish() = 0;
  // Instead: nothing more comes. The push ends as CANCELLED, and has changed nothing.
  virtual void Abandon() = 0;
};

class ContributionSink {
 public:
  // OK: every shard has accepted it, or had it already. Comes once, on any thread, perhaps at once,
  // and perhaps before the push is finished.
  using Done = std::function<void(absl::Status)>;
  virtual ~ContributionSink() = default;
  // `gradients` is all shards' arenas, and not written any more.
  virtual void Push(const Contribution& header, std::shared_ptr<const Arena> gradients,
                    Done done) = 0;
  // The same of gradients that are still being computed, by a pass that began at `begun`: what is
  // final in them is not written any more. By itself a sink pushes them at the end.
  virtual std::shared_ptr<OpenPush> Open(const Contribution& header,
                                         std::shared_ptr<const Arena> gradients, absl::Time begun,
                                         Done done);
};

// Holds the gradients until they are all there.
class PushAtEnd final : public OpenPush {
 public:
  PushAtEnd(ContributionSink* sink, Contribution header, std::shared_ptr<const Arena> gradients,
            ContributionSink::Done done)
      : sink_(sink),
        header_(std::move(header)),
        gradients_(std::move(gradients)),
        done_(std::move(done)) {}
  void Ready(size_t /*placement*/) override {}
  void Finish() override { sink_->Push(header_, std::move(gradients_), std::move(done_)); }
  void Abandon() override { done_(absl::CancelledError("its gradients were given up")); }

 private:
  ContributionSink* const sink_;
  const Contribution header_;
  std::shared_ptr<const Arena> gradients_;
  ContributionSink::Done done_;
};

inline std::shared_ptr<OpenPush> ContributionSink::Open(const Contribution& header,
                                                        std::shared_ptr<const Arena> gradients,
                                                        absl::Time /*begun*/, Done done) {
  return std::make_shared<PushAtEnd>(this, header, std::move(gradients), std::move(done));
}

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_CONTRIBUTION_SINK_H_
