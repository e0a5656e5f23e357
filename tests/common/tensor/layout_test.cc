// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/layout.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

TensorSpec Tensor(std::string name, std::vector<uint64_t> shape, Branch branch = Branch::kShared,
                  TensorKind kind = TensorKind::kWeight) {
  TensorSpec tensor{std::move(name), std::move(shape), kind, branch, 0};
  if (kind == TensorKind::kStatistic) tensor.momentum = 0.1F;
  return tensor;
}

// A small convolutional network with mixture BatchNorm.
std::vector<TensorSpec> Model() {
  std::vector<TensorSpec> tensors;
  for (int block = 0; block < 3; ++block) {
    const std::string name = "block" + std::to_string(block);
    tensors.push_back(Tensor(name + ".conv.weight", {16, 3, 3, 3}));
    for (const Branch branch : {Branch::kMain, Branch::kAuxiliary}) {
      const std::string norm = name + (branch == Branch::kMain ? ".main" : ".auxiliary");
      tensors.push_back(Tensor(norm + ".weight", {16}, branch, TensorKind::kNoDecay));
      tensors.push_back(Tensor(norm + ".mean", {17}, branch, TensorKind::kStatistic));
    }
  }
  tensors.push_back(Tensor("linear.weight", {10, 144}));
  tensors.push_back(Tensor("scale", {}));
  return tensors;
}

TEST(LayoutTest, IsAPureFunctionOfTensorsAndShards) {
  const Layout a = Layout::Create(Model(), 3).value();
  const Layout b = Layout::Create(Model(), 3).value();
  ASSERT_EQ(a.placements().size(), b.placements().size());
  for (size_t i = 0; i < a.placements().size(); ++i) {
    EXPECT_EQ(a.placements()[i].tensor.name, Model()[i].name);
    EXPECT_EQ(a.placements()[i].shard, b.placements()[i].shard);
    EXPECT_EQ(a.placements()[i].offset, b.placements()[i].offset);
  }
  EXPECT_EQ(a.hash(), b.hash());
}

TEST(LayoutTest, TensorsAreAlignedAndCoverEachArenaWithoutOverlap) {
  for (uint32_t shards = 1; shards <= Model().size(); ++shards) {
    const Layout layout = Layout::Create(Model(), shards).value();
    size_t begin = 0;
    for (uint32_t shard = 0; shard < shards; ++shard) {
      ASSERT_FALSE(layout.tensors_of(shard).empty());
      size_t end = 0;
      for (const size_t index : layout.tensors_of(shard)) {
        const Placement& placement = layout.placements()[index];
        EXPECT_EQ(placement.shard, shard);
        EXPECT_EQ(placement.offset, end);
        EXPECT_EQ(placement.offset % kTensorAlignment, 0);
        EXPECT_EQ(layout.global_offset(placement), begin + end);
        end += placement.tensor.padded_size();
      }
      EXPECT_EQ(layout.arena_size(shard), end);
      EXPECT_EQ(layout.arena_begin(shard), begin);
      begin += end;
    }
    EXPECT_EQ(layout.total_size(), begin);
  }
}

TEST(LayoutTest, ShardsAreBalanced) {
  std::vector<TensorSpec> tensors;
  for (uint64_t i = 1; i <= 100; ++i) {
    tensors.push_back(Tensor("t" + std::to_string(i), {16 * (i * 37 % 101)}));
  }
  const Layout layout = Layout::Create(tensors, 4).value();
  for (uint32_t shard = 0; shard < 4; ++shard) {
    EXPECT_NEAR(static_cast<double>(layout.arena_size(shard)), layout.total_size() / 4.0,
                0.01 * layout.total_size());
  }
}

TEST(LayoutTest, StreamRangesHoldExactlyTheirTensors) {
  for (const uint32_t shards : {1U, 2U, 5U}) {
    const Layout layout = Layout::Create(Model(), shards).value();
    for (const Placement& placement : layout.placements()) {
      const size_t begin = placement.offset;
      const size_t end = begin + placement.tensor.padded_size();
      const auto inside = [&](Branch branch) {
        const Range range = layout.branch_range(placement.shard, branch);
        EXPECT_TRUE(end <= range.begin || begin >= range.end ||
                    (begin >= range.begin && end <= range.end));
        return begin >= range.begin && end <= range.end;
      };
      EXPECT_EQ(inside(Branch::kMain), placement.tensor.branch != Branch::kAuxiliary);
      EXPECT_EQ(inside(Branch::kAuxiliary), placement.tensor.branch != Branch::kMain);
    }
  }
}

TEST(LayoutTest, AnAugmentedStreamCoversItsOwnTensorsAndNoMainOnes) {
  std::vector<TensorSpec> tensors = Model();
  for (TensorSpec twin : Model()) {
    if (twin.branch != Branch::kAuxiliary) continue;
    twin.name += ".augmented";
    twin.branch = Branch::kAugmented;
    tensors.push_back(std::move(twin));
  }
  for (const uint32_t shards : {1U, 2U, 5U}) {
    const Layout layout = Layout::Create(tensors, shards).value();
    for (const Placement& placement : layout.placements()) {
      const auto inside = [&](Branch branch) {
        const Range range = layout.branch_range(placement.shard, branch);
        const size_t end = placement.offset + placement.tensor.padded_size();
        return placement.offset >= range.begin && end <= range.end;
      };
      const Branch own = placement.tensor.branch;
      EXPECT_EQ(inside(Branch::kAugmented), own != Branch::kMain) << placement.tensor.name;
      EXPECT_EQ(inside(Branch::kAuxiliary), own == Branch::kShared || own == Branch::kAuxiliary);
      EXPECT_EQ(inside(Branch::kMain), own == Branch::kShared || own == Branch::kMain);
    }
  }
}

TEST(LayoutTest, WithoutAuxiliaryTensorsBothStreamsCoverAll) {
  const Layout layout = Layout::Create({Tensor("a", {3}), Tensor("b", {40})}, 1).value();
  const Range all{0, layout.arena_size(0)};
  EXPECT_EQ(layout.branch_range(0, Branch::kMain), all);
  EXPECT_EQ(layout.branch_range(0, Branch::kAuxiliary), all);
}

TEST(LayoutTest, FindNamesTheTensorOfAnElementAndNothingForPadding) {
  const Layout layout = Layout::Create({Tensor("a", {3}), Tensor("b", {17})}, 1).value();
  EXPECT_EQ(layout.Find(0, 0)->tensor.name, "a");
  EXPECT_EQ(layout.Find(0, 2)->tensor.name, "a");
  EXPECT_EQ(layout.Find(0, 3), nullptr);
  EXPECT_EQ(layout.Find(0, 16)->tensor.name, "b");
  EXPECT_EQ(layout.Find(0, 32)->tensor.name, "b");
  EXPECT_EQ(layout.Find(0, 33), nullptr);
  EXPECT_EQ(layout.Find(0, 4800), nullptr);
}

TEST(LayoutTest, HashDiffersWhenAnythingDiffers) {
  std::set<uint64_t> hashes = {Layout::Create(Model(), 1)->hash(),
                               Layout::Create(Model(), 2)->hash()};
  const auto changed = [](auto change) {
    std::vector<TensorSpec> model = Model();
    change(model);
    return Layout::Create(model, 1)->hash();
  };
  hashes.insert(changed([](auto& m) { m[0].name += "x"; }));
  hashes.insert(changed([](auto& m) { m[0].shape = {3, 16, 3, 3}; }));
  hashes.insert(changed([](auto& m) { m[0].shape = {48, 3, 3}; }));
  hashes.insert(changed([](auto& m) { m[0].kind = TensorKind::kNoDecay; }));
  hashes.insert(changed([](auto& m) { m[1].branch = Branch::kShared; }));
  hashes.insert(changed([](auto& m) { m[2].momentum = 0.2F; }));
  hashes.insert(changed([](auto& m) { m[2].momentum = 0; }));
  hashes.insert(changed([](auto& m) {
    m[2].momentum = 0;
    m[2].batches = 7;
  }));
  hashes.insert(changed([](auto& m) { std::swap(m[0], m[5]); }));
  hashes.insert(changed([](auto& m) { m.pop_back(); }));
  EXPECT_EQ(hashes.size(), 12);
  EXPECT_EQ(hashes.count(0), 0);
}

TEST(LayoutTest, RefusesWhatCannotBePlacedAndSaysWhy) {
  const auto error = [](std::vector<TensorSpec> tensors, uint32_t shards) {
    const auto layout = Layout::Create(std::move(tensors), shards);
    EXPECT_EQ(layout.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(layout.status().message());
  };
  EXPECT_THAT(error({Tensor("a", {1})}, 0), HasSubstr("at least one shard"));
  EXPECT_THAT(error({Tensor("a", {1})}, 2), HasSubstr("at most 1"));
  EXPECT_THAT(error({Tensor("", {1})}, 1), HasSubstr("without a name"));
  EXPECT_THAT(error({Tensor("a", {1}), Tensor("a", {2})}, 1), HasSubstr("named a"));
  EXPECT_THAT(error({Tensor("\x1b", {1}), Tensor("\x1b", {2})}, 1), HasSubstr("named \\x1b"));
  EXPECT_THAT(error({Tensor("a", {4, 0})}, 1), HasSubstr("tensor a"));
  EXPECT_THAT(error({Tensor("a", {uint64_t{1} << 41})}, 1), HasSubstr("tensor a"));
  EXPECT_THAT(error({Tensor("a", {uint64_t{1} << 32, uint64_t{1} << 32})}, 1),
              HasSubstr("tensor a"));
  TensorSpec statistic = Tensor("mean", {1}, Branch::kShared, TensorKind::kStatistic);
  for (const float momentum : {1.5F, -1.0F, std::nanf("")}) {
    statistic.momentum = momentum;
    EXPECT_THAT(error({statistic}, 1), HasSubstr("statistic mean"));
  }
}

TEST(LayoutTest, WeightsCrcDoesNotDependOnShardsOrPadding) {
  const auto crc = [](uint32_t shards, float padding) {
    const Layout layout = Layout::Create(Model(), shards).value();
    std::vector<float> weights(layout.total_size(), padding);
    float next = 0;
    for (const Placement& placement : layout.placements()) {
      for (size_t i = 0; i < placement.tensor.size(); ++i) {
        weights[layout.global_offset(placement) + i] = ++next;
      }
    }
    return WeightsCrc32c(layout, weights);
  };
  EXPECT_EQ(crc(1, 0), crc(3, 0));
  EXPECT_EQ(crc(1, 0), crc(4, 7));
}

}  // namespace
}  // namespace conadv
