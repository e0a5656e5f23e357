// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/square_search.h"

#include <algorithm>
#include <utility>

#include "worker/evaluate/suite/ball.h"
#include "worker/evaluate/suite/selection.h"
#include "worker/evaluate/suite/square_window.h"

namespace conadv {
namespace {

// Keeps quotients finite.
constexpr double kNotZero = 1e-12;

float Sign(Random* random) { return (random->Next32() & 1) != 0 ? 1.0F : -1.0F; }

// One sign for each of `count` places of each example: [n, count].
torch::Tensor Signs(int64_t count, Device& device, Searchers* searchers) {
  const torch::Tensor signs = torch::empty({searchers->size(), count}, torch::kFloat32);
  auto* value = signs.data_ptr<float>();
  for (Random& random : searchers->draws) {
    for (int64_t i = 0; i < count; ++i) *value++ = Sign(&random);
  }
  return device.Place(signs);
}

// Where each example's window is, as numbers of rows and columns within it; out of it they are
// outside [0, side).
struct Windows {
  torch::Tensor row;     // [n, 1, h, 1], int64
  torch::Tensor column;  // [n, 1, 1, w], int64
  torch::Tensor mask;    // [n, 1, h, w], float32: 1 within
};

Windows DrawWindows(int64_t side, Device& device, Searchers* searchers) {
  const int64_t n = searchers->size();
  const int64_t height = searchers->center.size(2);
  const int64_t width = searchers->center.size(3);
  const torch::Tensor corners = torch::empty({2, n}, torch::kInt64);
  auto* values = corners.data_ptr<int64_t>();
  for (int64_t i = 0; i < n; ++i) {
    Random& random = searchers->draws[static_cast<size_t>(i)];
    values[i] = static_cast<int64_t>(random.Below(static_cast<uint64_t>(height - side + 1)));
    values[n + i] = static_cast<int64_t>(random.Below(static_cast<uint64_t>(width - side + 1)));
  }
  const torch::Tensor placed = device.Place(corners);
  const auto numbers = [&](int64_t count) {
    return torch::arange(count, torch::dtype(torch::kInt64).device(placed.device()));
  };
  Windows windows;
  windows.row = numbers(height).view({1, 1, -1, 1}) - PerExample(placed[0]);
  windows.column = numbers(width).view({1, 1, 1, -1}) - PerExample(placed[1]);
  windows.mask =
      ((windows.row >= 0) & (windows.row < side) & (windows.column >= 0) & (windows.column < side))
          .to(torch::kFloat32);
  return windows;
}

torch::Tensor BumpsOn(int64_t side, const torch::Tensor& like, Device& device) {
  const std::vector<float> values = Bumps(side);
  const torch::Tensor bumps = torch::empty({side, side}, torch::kFloat32);
  std::copy(values.begin(), values.end(), bumps.data_ptr<float>());
  return device.Place(bumps).to(like.device());
}

// Each example's window filled with bumps, lying or standing, and 0 around it. [n, 1, h, w].
torch::Tensor PlaceBumps(const Windows& windows, int64_t side, Device& device,
                         Searchers* searchers) {
  const torch::Tensor stands = PerExample(Signs(1, device, searchers).squeeze(1)) > 0;
  const torch::Tensor row = windows.row.clamp(0, side - 1);
  const torch::Tensor column = windows.column.clamp(0, side - 1);
  const torch::Tensor place =
      torch::where(stands, row * side + column, column * side + row);  // [n, 1, h, w]
  return BumpsOn(side, searchers->center, device).view({-1}).index({place}) * windows.mask;
}

torch::Tensor OnSphere(const Ball& ball, const torch::Tensor& moved, const torch::Tensor& center) {
  return (center + moved * (ball.radius / NormsOf(moved).clamp_min(kNotZero))).clamp(0, 1);
}

torch::Tensor ProposeLinf(const Ball& ball, Device& device, int64_t side, Searchers* s) {
  const Windows windows = DrawWindows(side, device, s);
  const torch::Tensor signs = Signs(s->center.size(1), device, s).unsqueeze(2).unsqueeze(3);
  return torch::where(windows.mask > 0, (s->center + ball.radius * signs).clamp(0, 1), s->best);
}

// L2 norm over the pixels of each channel: [n, c, 1, 1].
torch::Tensor ChannelNorms(const torch::Tensor& images) {
  return images.square().sum({2, 3}, /*keepdim=*/true).sqrt();
}

torch::Tensor ProposeL2(const Ball& ball, Device& device, int64_t side, Searchers* s) {
  const int64_t channels = s->center.size(1);
  const torch::Tensor moved = s->best - s->center;
  const Windows grows = DrawWindows(side, device, s);
  const Windows gives = DrawWindows(side, device, s);
  const torch::Tensor old = moved * grows.mask;
  const torch::Tensor bumps =
      PlaceBumps(grows, side, device, s) * Signs(channels, device, s).unsqueeze(2).unsqueeze(3);
  const torch::Tensor direction = bumps + old / (ChannelNorms(old) + kNotZero);
  // What both windows had, and what the radius leaves.
  const torch::Tensor both = NormsOf(moved * torch::max(grows.mask, gives.mask));
  const torch::Tensor left = (ball.radius * ball.radius - NormsOf(moved).square()).clamp_min(0);
  const torch::Tensor norm = (left / static_cast<double>(channels) + both.square()).sqrt();
  const torch::Tensor filled = direction / (ChannelNorms(direction) + kNotZero) * norm;
  const torch::Tensor next = moved * (1 - gives.mask) * (1 - grows.mask) + filled * grows.mask;
  return OnSphere(ball, next, s->center);
}

torch::Tensor Stripes(const Ball& ball, Device& device, Searchers* s) {
  const int64_t channels = s->center.size(1);
  const int64_t width = s->center.size(3);
  const torch::Tensor signs = Signs(channels * width, device, s).view({-1, channels, 1, width});
  return (s->center + ball.radius * signs).clamp(0, 1);
}

torch::Tensor Grid(const Ball& ball, Device& device, Searchers* s) {
  constexpr int64_t kTiles = 5;  // a side
  const int64_t channels = s->center.size(1);
  const int64_t height = s->center.size(2);
  const int64_t width = s->center.size(3);
  const int64_t side = std::max<int64_t>(2, std::min(height, width) / kTiles);
  torch::Tensor moved = torch::zeros_like(s->center);
  if (std::min(height, width) < side) return s->center;
  const torch::Tensor bumps = BumpsOn(side, s->center, device).view({1, 1, side, side});
  for (int64_t top = height % side / 2; top + side <= height; top += side) {
    for (int64_t left = width % side / 2; left + side <= width; left += side) {
      const torch::Tensor signs = Signs(channels, device, s).unsqueeze(2).unsqueeze(3);
      moved.slice(2, top, top + side).slice(3, left, left + side).copy_(bumps * signs);
    }
  }
  return OnSphere(ball, moved, s->center);
}

}  // namespace

void Searchers::Keep(const torch::Tensor& mask) {
  const torch::Tensor which = RowsOf(mask);
  for (torch::Tensor* part : {&rows, &center, &labels, &best, &best_margin}) {
    *part = part->index_select(0, which);
  }
  const torch::Tensor on_host = which.cpu();
  std::vector<Random> kept;
  kept.reserve(static_cast<size_t>(on_host.numel()));
  for (int64_t i = 0; i < on_host.numel(); ++i) {
    kept.push_back(draws[static_cast<size_t>(on_host.data_ptr<int64_t>()[i])]);
  }
  draws = std::move(kept);
}

torch::Tensor FirstPoints(const Ball& ball, Device& device, Searchers* searchers) {
  return ball.norm == EvaluationNorm::kLinf ? Stripes(ball, device, searchers)
                                            : Grid(ball, device, searchers);
}

torch::Tensor Propose(const Ball& ball, Device& device, int64_t side, Searchers* searchers) {
  return ball.norm == EvaluationNorm::kLinf ? ProposeLinf(ball, device, side, searchers)
                                            : ProposeL2(ball, device, side, searchers);
}

}  // namespace conadv
