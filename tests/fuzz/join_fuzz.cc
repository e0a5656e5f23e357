// SPDX-License-Identifier: Apache-2.0
// Whatever members say on their Join streams, in whatever order: the coordinator goes on, what it
// grants lies within the run, and what it tells people is text.
//   input := event*
//   event := what (1 byte) size (1 byte) bytes[size]
// what % 8: 0 to 5, a serialized conadv.v1.JoinRequest of this member; 6, a report (a serialized
// conadv.v1.ReportRequest); 7, time passes (size seconds), or streams break (bit n of what / 8:
// member n's).
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/rpc/membership/member_proto.h"
#include "server/rpc/membership/member_session.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"
#include "tests/support/fake_clock.h"

namespace conadv::fuzz {
namespace {

constexpr size_t kMembers = 6;
constexpr uint64_t kSteps = 4;
constexpr uint32_t kSlots = 2;
constexpr uint32_t kShards = 2;

void RequireText(const absl::Status& status) {
  Require(IsText(status.message()), "what ends a session is text", status.message());
}

class Peer final : public MemberSink {
 public:
  Peer(Coordinator* coordinator, WorkerStatsBook* stats, size_t index)
      : session(coordinator, stats, this, {"peer-" + std::to_string(index), true}) {}

  void Send(const MemberMessage& message) override {
    if (const auto* grant = std::get_if<GrantMessage>(&message)) {
      for (const Unit& unit : grant->units) {
        Require(unit.step.value() < kSteps && unit.slot.value() < kSlots, "a grant is of the run");
      }
    }
    ToProto(message).SerializeAsString();
  }
  void Close(const absl::Status& status) override {
    RequireText(status);
    closed = true;
  }

  MemberSession session;
  bool closed = false;
};

// Shard 0, which does what it is asked.
class Local final : public MemberSink {
 public:
  void Send(const MemberMessage& message) override {
    if (std::holds_alternative<RestoreMessage>(message)) restores = true;
  }
  void Close(const absl::Status& status) override { RequireText(status); }
  bool restores = false;
};

CoordinatorOptions Options() {
  CoordinatorOptions options;
  options.job.training.global_batch = 4 * kSlots;
  options.job.training.slots = kSlots;
  options.job.training.steps = kSteps;
  options.job.training.tau = 1;
  options.job.server.lease = absl::Seconds(10);
  options.shards = kShards;
  options.evaluator_patience = absl::Seconds(60);
  options.lineage = Lineage(1);
  return options;
}

class Run {
 public:
  Run() : coordinator_(Options(), &clock_) {
    HelloMessage hello;
    hello.role = Role::kShard;
    hello.name = "server-0";
    hello.address = "here";
    hello.local = true;
    local_id_ = *coordinator_.Join(hello, &local_);
    for (size_t i = 0; i < kMembers; ++i) Connect(i);
  }
  ~Run() {
    for (auto& peer : peers_) peer->session.End();
  }

  void Handle(uint8_t what, absl::string_view bytes) {
    const size_t kind = what % 8;
    if (kind < kMembers) {
      Say(kind, bytes);
    } else if (kind == 6) {
      v1::ReportRequest report;
      if (report.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        const absl::Status status = coordinator_.OnEvaluated(FromProto(report));
        Require(IsText(status.message()), "a refused report's message is text", status.message());
      }
    } else {
      clock_.now += absl::Seconds(static_cast<int64_t>(bytes.size()));
      coordinator_.Tick();
      for (size_t i = 0; i < kMembers; ++i) {
        if (((what / 8) >> i & 1) != 0) Connect(i);
      }
    }
    if (std::exchange(local_.restores, false)) {
      coordinator_.OnRestored(local_id_, absl::OkStatus(), std::nullopt);
    }
    RequireSound(coordinator_.Read());
  }

 private:
  void Connect(size_t i) {
    if (peers_[i] != nullptr) peers_[i]->session.End();
    peers_[i] = std::make_unique<Peer>(&coordinator_, &stats_, i);
  }
  void Say(size_t i, absl::string_view bytes) {
    v1::JoinRequest request;
    if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    Peer& peer = *peers_[i];
    if (peer.closed || peer.session.left()) return;
    const absl::Status status = peer.session.Handle(request);
    RequireText(status);
    if (!status.ok()) Connect(i);
  }
  static void RequireSound(const CoordinatorView& view) {
    Require(IsText(view.message), "the status's message is text", view.message);
    Require(IsText(view.warning), "the status's warning is text", view.warning);
    Require(view.step.value() <= kSteps, "the oldest step is of the run");
    for (const auto& [member, units] : view.members) {
      Require(IsText(member.hello.name), "a member's name is text", member.hello.name);
      Require(IsText(member.hello.address), "a member's address is text", member.hello.address);
      Require(units.size() <= kSteps * kSlots, "nobody holds more than the run has");
    }
  }

  FakeClock clock_;
  Coordinator coordinator_;
  WorkerStatsBook stats_;
  Local local_;
  MemberId local_id_;
  std::array<std::unique_ptr<Peer>, kMembers> peers_;
};

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  conadv::fuzz::Run run;
  absl::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() >= 2) {
    const auto what = static_cast<uint8_t>(rest[0]);
    const absl::string_view bytes = rest.substr(2, static_cast<uint8_t>(rest[1]));
    run.Handle(what, bytes);
    rest.remove_prefix(2 + bytes.size());
  }
  return 0;
}
