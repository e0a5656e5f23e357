// SPDX-License-Identifier: Apache-2.0
// What every kind of device promises.
#include "worker/device/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/worker/device/devices.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<Arena> Counted(size_t size) {
  auto arena = std::make_shared<Arena>(size);
  for (size_t i = 0; i < size; ++i) arena->data()[i] = static_cast<float>(i);
  return arena;
}

class DeviceTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto opened = OpenTestDevice(GetParam());
    if (!opened.ok()) GTEST_SKIP() << opened.status().message();
    device_ = *std::move(opened);
    device_->PrepareThread();
  }
  std::shared_ptr<Device> device_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, DeviceTest,
                         testing::Values("cpu", "copying", "accelerator", "cuda"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST_P(DeviceTest, AVersionHasTheArenasValuesAsLongAsSomebodyHasIt) {
  auto weights = Counted(48);
  auto placed = device_->PlaceWeights(std::move(weights));
  EXPECT_EQ(placed->values().sizes(), torch::IntArrayRef({48}));
  EXPECT_EQ(placed->values().device().type(), device_->type());
  const torch::Tensor part = placed->values().narrow(0, 8, 4);
  placed.reset();
  EXPECT_EQ(part.sum().item<float>(), 8 + 9 + 10 + 11);
}

TEST_P(DeviceTest, LanesThatAskForOneVersionGetOneCopyOfIt) {
  const auto weights = Counted(48);
  const auto placed = device_->PlaceWeights(weights);
  std::thread([&] {
    device_->PrepareThread();
    const auto again = device_->PlaceWeights(weights);
    EXPECT_EQ(again->values().data_ptr(), placed->values().data_ptr());
    EXPECT_EQ(again->values().sum().item<float>(), 47 * 48 / 2);
  }).join();
}

TEST_P(DeviceTest, AVersionThatCameBackIsPlacedAnew) {
  const auto weights = Counted(48);
  device_->PlaceWeights(weights).reset();
  weights->data()[0] = 100;  // as a recycled arena: nobody had it
  EXPECT_EQ(device_->PlaceWeights(weights)->values()[0].item<float>(), 100);
}

TEST_P(DeviceTest, GradientsOfTheRangesArriveAndNothingElse) {
  const auto arena = Counted(8);
  const std::vector<ArenaRange> ranges = {{1, 2}, {6, 1}};
  auto gradients = device_->OpenGradients(arena, ranges);
  gradients->values()[2] += 7;
  gradients->StartCopy();
  gradients->FinishCopy();
  EXPECT_THAT(arena->span(), ElementsAre(0, 0, 7, 3, 4, 5, 0, 7));
  gradients.reset();
  EXPECT_EQ(arena.use_count(), 1);
}

TEST_P(DeviceTest, GradientsAreThereOnceTheirBufferIsGone) {
  const auto arena = Counted(3);
  auto gradients = device_->OpenGradients(arena, {{0, 2}});
  gradients->values()[1] += 5;
  gradients->StartCopy();
  gradients.reset();
  EXPECT_THAT(arena->span(), ElementsAre(0, 5, 2));
}

TEST_P(DeviceTest, ImagesAreBytesOf255thsToTheLastBit) {
  const HostBatch batch = device_->NewBatch({256, 1, 1, 1});
  for (int value = 0; value < 256; ++value) {
    batch.image_bytes()[value] = static_cast<uint8_t>(value);
    batch.label_values()[value] = 1000 + value;
  }
  const Inputs inputs = device_->PlaceInputs(batch);
  EXPECT_EQ(inputs.images.device().type(), device_->type());
  const torch::Tensor images = inputs.images.cpu(), labels = inputs.labels.cpu();
  ASSERT_EQ(images.sizes(), torch::IntArrayRef({256, 1, 1, 1}));
  for (int value = 0; value < 256; ++value) {
    EXPECT_EQ(images.data_ptr<float>()[value], static_cast<float>(value) / 255.0F);
    EXPECT_EQ(labels.data_ptr<int64_t>()[value], 1000 + value);
  }
}

TEST_P(DeviceTest, TensorsOfTheHostAreTheSameThere) {
  EXPECT_TRUE(torch::equal(device_->Place(torch::arange(5)).cpu(), torch::arange(5)));
  const torch::Tensor constant = torch::arange(5);
  EXPECT_TRUE(torch::equal(device_->PlaceConstant(constant).cpu(), constant));
  EXPECT_TRUE(torch::equal(constant, torch::arange(5)));
}

TEST_P(DeviceTest, EqualSeedsDrawEqualNumbers) {
  const auto draw = [this](uint64_t seed) {
    return device_->WithSeed(
        seed, [this] { return torch::rand({9}, torch::TensorOptions().device(device_->type())); });
  };
  const torch::Tensor drawn = draw(5);
  EXPECT_FALSE(torch::equal(draw(6), drawn));
  EXPECT_TRUE(torch::equal(draw(5), drawn));
}

TEST_P(DeviceTest, WhatOneThreadHasFinishedAnotherMayUse) {
  torch::Tensor product;
  std::thread([&] {
    device_->PrepareThread();
    const torch::Tensor ones =
        torch::ones({512, 512}, torch::TensorOptions().device(device_->type()));
    product = ones;
    for (int i = 0; i < 4; ++i) product = product.mm(ones).div(512);
    device_->Finish();
  }).join();
  EXPECT_EQ(product.sum().item<float>(), 512 * 512);
}

TEST(OpenDevice, SaysWhichNamesThereAre) {
  for (const char* name : {"gpu", "", "cuda:", "cuda:x", "cuda:-1", "cuda:01", "cuda:128", "CPU"}) {
    const absl::Status status = OpenDevice(name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--device: must be cpu, cuda, or cuda:N"))
        << name;
  }
}

TEST(OpenDevice, AGpuThatIsNotThereGetsASentence) {
  const absl::Status status = OpenDevice("cuda:127").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              testing::AnyOf(HasSubstr("LibTorch has no CUDA; build conadv with one"),
                             HasSubstr("nvidia-smi"), HasSubstr("--device=cuda:N takes 0 to")));
}

}  // namespace
}  // namespace conadv
