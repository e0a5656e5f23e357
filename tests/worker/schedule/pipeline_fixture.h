// SPDX-License-Identifier: Apache-2.0
// A pipeline whose passes take no time, and whose pulls and pushes the test answers in any order.
#ifndef CONADV_TESTS_WORKER_SCHEDULE_PIPELINE_FIXTURE_H_
#define CONADV_TESTS_WORKER_SCHEDULE_PIPELINE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/streams.h"
#include "worker/schedule/pipeline.h"

namespace conadv {

inline constexpr Lineage kLineage(7);

// Passes and loading that take no time; those of `poisoned` fail.
class FakeCompute final : public UnitCompute {
 public:
  using Batch = std::shared_ptr<const UnitBatch>;
  enum Kind { kLoaded, kAttacked };

  absl::StatusOr<Batch> Load(Unit unit) override {
    ++loads;
    if (before_load) before_load();
    if (unit == unreadable) return absl::DataLossError("unreadable");
    return Make(kLoaded);
  }
  absl::StatusOr<Batch> Attack(int, Unit, Batch loaded,
                               std::vector<std::shared_ptr<const Arena>> weights) override {
    ++attacks;
    if (before_attack) before_attack();
    if (weights.size() != attack_weights) return absl::InternalError("another number of weights");
    for (const auto& version : weights) {
      if (version == nullptr) return absl::InternalError("no weights");
    }
    if (KindOf(loaded) != kLoaded) return absl::InternalError("other images");
    return Make(kAttacked);
  }
  absl::StatusOr<PassMeasures> Pass(int, Unit unit, StreamIndex stream, Batch batch,
                                    std::shared_ptr<const Arena> weights, std::shared_ptr<Arena>,
                                    PassProgress* progress) override {
    if (weights == nullptr) return absl::InternalError("no weights");
    if (tells) {
      progress->OnMeasures(0.75F, 0.5F);
      progress->OnTensor(3);
      if (after_tensor) after_tensor();
    }
    if (KindOf(batch) != (streams[stream.value()].attacked() ? kAttacked : kLoaded)) {
      return absl::InternalError("another stream's images");
    }
    if (unit == poisoned && stream == kCleanStream) return absl::InternalError("poisoned");
    PassMeasures measures;
    if (streams[stream.value()].kind == StreamKind::kAttack) measures.attacked = Make(kAttacked);
    return measures;
  }
  absl::StatusOr<std::optional<float>> AttackCosine(int, Unit, const UnitBatch&,
                                                    std::shared_ptr<const Arena> weights) override {
    if (weights == nullptr) return absl::InternalError("no weights");
    return cosine;
  }
  bool HasReplay(Unit unit) override { return unit == replay; }
  void Forget() override { replay.reset(); }

  bool tells = false;                  // of measures and a tensor on the way
  std::function<void()> after_tensor;  // and then
  GradientStreams streams = CleanAndAdversarial();
  size_t attack_weights = 1;   // versions that an attack has to get
  std::optional<Unit> replay;  // that the step before has left something for
  absl::StatusOr<std::optional<float>> cosine = std::nullopt;  // of every attack
  std::optional<Unit> poisoned;
  std::optional<Unit> unreadable;
  std::function<void()> before_load;
  std::function<void()> before_attack;
  std::atomic<int> loads{0};
  std::atomic<int> attacks{0};
  std::atomic<int> batches{0};  // that somebody has
  std::atomic<int> most_batches{0};

 private:
  // Nobody looks into it: a pointer that owns something else will do.
  Batch Make(Kind kind) {
    const int now = ++batches;
    for (int most = most_batches; most < now && !most_batches.compare_exchange_weak(most, now);) {
    }
    const std::shared_ptr<Kind> owner(new Kind(kind), [this](Kind* owned) {
      --batches;
      delete owned;
    });
    return Batch(owner, reinterpret_cast<const UnitBatch*>(owner.get()));
  }
  static Kind KindOf(const Batch& batch) { return *reinterpret_cast<const Kind*>(batch.get()); }
};

// Waits for what the pipeline's lanes do, then lets the test answer pulls and pushes in any order.
class PipelineTest : public ::testing::Test {
 protected:
  class Source final : public WeightSource {
   public:
    explicit Source(PipelineTest* test) : test_(test) {}
    void Pull(const PullSelector& selector, Done done) override {
      MutexLock lock(&test_->mutex_);
      test_->pulls_.push_back({selector, std::move(done)});
      test_->changed_.NotifyAll();
    }

   private:
    PipelineTest* const test_;
  };
  class Sink final : public ContributionSink {
   public:
    explicit Sink(PipelineTest* test) : test_(test) {}
    std::shared_ptr<OpenPush> Open(const Contribution& header,
                                   std::shared_ptr<const Arena> gradients, absl::Time,
                                   Done done) override {
      Push(header, std::move(gradients), std::move(done));
      return std::make_shared<OpenedPush>(test_);
    }
    void Push(const Contribution& header, std::shared_ptr<const Arena> gradients,
              Done done) override {
      MutexLock lock(&test_->mutex_);
      test_->pushes_.push_back({header, std::move(gradients), std::move(done)});
      ++test_->pushed_[{header.unit, header.stream}];
      test_->headers_.push_back(header);
      if (test_->answered_.count(header.unit) == 0) test_->unanswered_.insert(header.unit);
      test_->most_unanswered_ = std::max(test_->most_unanswered_, test_->unanswered_.size());
      test_->changed_.NotifyAll();
    }

   private:
    PipelineTest* const test_;
  };
  class OpenedPush final : public OpenPush {
   public:
    explicit OpenedPush(PipelineTest* test) : test_(test) {}
    void Ready(size_t placement) override {
      test_->Note([&] { test_->ready_.push_back(placement); });
    }
    void Finish() override {
      test_->Note([&] { ++test_->finished_; });
    }
    void Abandon() override {
      test_->Note([&] { ++test_->abandoned_; });
    }

   private:
    PipelineTest* const test_;
  };
  struct UnansweredPull {
    PullSelector selector;
    WeightSource::Done done;
  };
  struct UnansweredPush {
    Contribution header;
    std::shared_ptr<const Arena> gradients;
    ContributionSink::Done done;
  };

  static PlanOptions SomeOptions() {
    PlanOptions options;
    options.streams = CleanAndAdversarial();
    return options;
  }
  void Make(PlanOptions options, int lanes = 2) {
    compute_.streams = options.streams;
    cache_.emplace(&source_, options.tau + 2, &statistics_);
    executor_.emplace(lanes, 1000, nullptr, &statistics_, Clock::Real());
    loaders_.emplace(lanes, 1000, nullptr, nullptr, Clock::Real(), "loader");
    PipelineEvents events;
    events.done = [this](Unit unit, Lineage lineage) {
      EXPECT_EQ(lineage, kLineage);
      Note([&] { done_.insert(unit); });
    };
    events.failed = [this](Unit unit, Lineage, const absl::Status&) {
      Note([&] { failed_.push_back(unit); });
    };
    events.broken = [this](const absl::Status& status) {
      Note([&] { broken_.push_back(status); });
    };
    events.drained = [this] { Note([&] { ++drained_; }); };
    pipeline_.emplace(options, 4,
                      Pipeline::Parts{&*cache_, &sink_, &compute_, &*executor_, &*loaders_,
                                      &gradients_, &statistics_},
                      std::move(events));
  }
  void TearDown() override {
    if (loaders_.has_value()) loaders_->Stop();
    if (executor_.has_value()) executor_->Stop();
  }
  template <class Change>
  void Note(const Change& change) {
    MutexLock lock(&mutex_);
    change();
    changed_.NotifyAll();
  }
  template <class Condition>
  void Await(const Condition& condition) {
    MutexLock lock(&mutex_);
    while (!condition()) {
      ASSERT_TRUE(changed_.WaitFor(&mutex_, absl::Seconds(30))) << "nothing happens any more";
    }
  }
  // Answers one open call; an exact pull with its version, another with `latest`.
  void AnswerPull(size_t i, Version latest = Version(0)) {
    UnansweredPull pull;
    {
      MutexLock lock(&mutex_);
      pull = std::move(pulls_[i]);
      pulls_.erase(pulls_.begin() + static_cast<int64_t>(i));
    }
    const bool exact = pull.selector.kind == PullSelector::Kind::kExactly;
    pull.done(VersionedWeights{exact ? Version(pull.selector.value) : latest,
                               std::make_shared<Arena>(16)});
  }
  void AnswerPush(size_t i, const absl::Status& status = absl::OkStatus()) {
    UnansweredPush push;
    {
      MutexLock lock(&mutex_);
      push = std::move(pushes_[i]);
      pushes_.erase(pushes_.begin() + static_cast<int64_t>(i));
      answered_.insert(push.header.unit);
      unanswered_.erase(push.header.unit);
    }
    push.gradients = nullptr;
    push.done(status);
  }

  static Unit At(uint64_t step, uint64_t slot = 0) { return {Step(step), Slot(slot)}; }

  Mutex mutex_;
  CondVar changed_;
  std::vector<UnansweredPull> pulls_;
  std::vector<UnansweredPush> pushes_;
  std::vector<size_t> ready_;  // tensors of pushes that are open
  int finished_ = 0;           // that were opened
  int abandoned_ = 0;
  std::map<std::pair<Unit, StreamIndex>, int> pushed_;
  std::vector<Contribution> headers_;
  std::set<Unit> answered_;    // of which an answer to a push has come
  std::set<Unit> unanswered_;  // pushed, and no answer yet
  size_t most_unanswered_ = 0;
  std::set<Unit> done_;
  std::vector<Unit> failed_;
  std::vector<absl::Status> broken_;
  int drained_ = 0;
  WorkerStatistics statistics_;
  ArenaPool gradients_{16, 4};
  Source source_{this};
  Sink sink_{this};
  FakeCompute compute_;
  std::optional<WeightCache> cache_;
  std::optional<Executor> executor_;
  std::optional<Executor> loaders_;
  std::optional<Pipeline> pipeline_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_SCHEDULE_PIPELINE_FIXTURE_H_
