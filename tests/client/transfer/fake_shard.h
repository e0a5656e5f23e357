// SPDX-License-Identifier: Apache-2.0
// A shard whose answers the test gives, call by call. One thread.
#ifndef CONADV_TESTS_CLIENT_TRANSFER_FAKE_SHARD_H_
#define CONADV_TESTS_CLIENT_TRANSFER_FAKE_SHARD_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "client/transfer/parameter_client.h"

namespace conadv {

class FakeShard final : public ParameterClient {
 public:
  struct PullCall {
    PullSelector selector;
    absl::Duration timeout;
    Allocate allocate;
    PullDone done;
  };
  struct PushCall {
    PushContent content;
    PushDone done;
  };

  void Pull(const PullSelector& selector, absl::Duration timeout, Allocate allocate,
            PullDone done) override {
    pulls.push_back({selector, timeout, std::move(allocate), std::move(done)});
    pull_came();
  }
  bool pushes_gradually(size_t /*elements*/) const override { return gradually; }
  void Push(const PushContent& content, absl::Duration, PushDone done) override {
    pushes.push_back({content, std::move(done)});
  }
  void Describe(absl::Duration, DescribeDone done) override {
    describes.push_back(std::move(done));
  }
  void SetLineage(Lineage) override {}
  void Reset() override {}
  void Shutdown() override {}
  const std::string& address() const override { return address_; }

  // Answers the oldest open call with an arena full of the version's number.
  void AnswerPull(Version version) {
    const PullCall call = TakePull();
    const absl::Span<float> place = *call.allocate(version);
    std::fill(place.begin(), place.end(), static_cast<float>(version.value()));
    call.done(PulledShard{version, lineage, absl::UnixEpoch()});
  }
  void FailPull(const absl::Status& status) { TakePull().done(status); }
  void AnswerPush(const absl::StatusOr<PushReply>& answer) {
    const PushCall call = std::move(pushes.front());
    pushes.pop_front();
    call.done(answer);
  }

  bool gradually = false;
  Lineage lineage;
  // For who waits for a pull that another thread makes.
  std::function<void()> pull_came = [] {};
  std::deque<PullCall> pulls;
  std::deque<PushCall> pushes;
  std::deque<DescribeDone> describes;

 private:
  PullCall TakePull() {
    PullCall call = std::move(pulls.front());
    pulls.pop_front();
    return call;
  }

  const std::string address_ = "shard.test:1";
};

}  // namespace conadv

#endif  // CONADV_TESTS_CLIENT_TRANSFER_FAKE_SHARD_H_
