// SPDX-License-Identifier: Apache-2.0
// The header of a push is refused with a reason, or is a contribution or a plan. A plan is kept as
// it is, and its tensors have a layout in which none lies on another, or are refused.
//   input := shards (1 byte) a serialized conadv.v1.PushHeader
#include <string>
#include <variant>

#include "common/job/streams.h"
#include "common/plan/plan.h"
#include "common/protocol/push_message.h"
#include "common/tensor/layout.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

void RequireSound(const Layout& layout) {
  size_t total = 0;
  size_t tensors = 0;
  for (uint32_t shard = 0; shard < layout.shards(); ++shard) {
    Require(layout.arena_begin(shard) == total, "arenas follow each other");
    total += layout.arena_size(shard);
    tensors += layout.tensors_of(shard).size();
    Require(!layout.tensors_of(shard).empty(), "no shard is empty");
    size_t end = 0;
    for (const size_t index : layout.tensors_of(shard)) {
      const Placement& placement = layout.placements()[index];
      Require(placement.shard == shard, "a tensor is where its shard says");
      Require(placement.offset == end, "tensors follow each other", placement.tensor.name);
      Require(placement.offset % kTensorAlignment == 0, "tensors are aligned");
      Require(layout.Find(shard, placement.offset) == &placement, "a tensor is found");
      end = placement.offset + placement.tensor.padded_size();
    }
    Require(layout.arena_size(shard) == end, "an arena ends with its last tensor");
    for (const Branch branch : {Branch::kShared, Branch::kMain, Branch::kAuxiliary}) {
      const Range range = layout.branch_range(shard, branch);
      Require(range.begin <= range.end && range.end <= end, "branches lie within the arena");
    }
  }
  Require(layout.total_size() == total, "arenas are all there is");
  Require(layout.placements().size() == tensors, "every tensor has a shard");
  Require(layout.hash() != 0, "a layout has a hash");
}

void TestLayout(const Plan& plan, uint32_t shards, size_t input_size) {
  const absl::StatusOr<Layout> layout = Layout::Create(plan.tensors, shards);
  if (!layout.ok()) {
    return RequireRefusal(layout.status(), absl::StatusCode::kInvalidArgument, input_size);
  }
  RequireSound(*layout);
  const absl::StatusOr<Layout> again = Layout::Create(plan.tensors, shards);
  Require(again.ok() && again->hash() == layout->hash(), "equal tensors have equal layouts");
}

void TestPlan(const Plan& plan) {
  const absl::StatusOr<Plan> again = ParsePlanBytes(PlanBytes(plan));
  Require(again.ok(), "a plan can be kept", again.status().ToString());
  Require(PlanBytes(*again) == PlanBytes(plan), "a plan is kept unchanged");
  const absl::Status same = CheckSamePlan(plan, *again);
  Require(same.ok(), "a plan is the same as itself", same.ToString());
  // Another worker's plan, in a message that a person reads.
  Plan other = plan;
  other.tensors.back().shape.push_back(2);
  const absl::Status differs = CheckSamePlan(plan, other);
  Require(!differs.ok(), "another plan is not the same");
  Require(IsText(differs.message()), "a refusal's message is text", differs.message());
}

void TestHeader(uint32_t shards, const std::string& bytes) {
  // Protobuf makes its descriptors at their first use, whatever the input is.
  [[maybe_unused]] static const bool made = ParsePushHeader("").ok();
  const AllocationMeter meter;
  const absl::StatusOr<PushHeader> header = ParsePushHeader(bytes);
  RequireBounded(meter, 16384 + 256 * bytes.size());
  if (!header.ok()) {
    return RequireRefusal(header.status(), absl::StatusCode::kInvalidArgument, bytes.size());
  }
  if (const auto* plan = std::get_if<std::shared_ptr<const Plan>>(&header->content)) {
    TestPlan(**plan);
    TestLayout(**plan, shards, bytes.size());
  } else {
    const auto& contribution = std::get<Contribution>(header->content);
    Require(contribution.stream.value() < kMostStreams, "a contribution has a stream");
    Require(IsText(contribution.worker), "a worker's name is text");
  }
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  conadv::fuzz::TestHeader(data[0], {reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
