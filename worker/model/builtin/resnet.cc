// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/model/builtin/architectures.h"

namespace conadv {
namespace {

using Children = std::vector<std::pair<std::string, ScriptModule>>;

ScriptModule Conv1x1(int64_t in, int64_t out, int64_t stride) {
  return Conv2d({in, out, 1, stride, 0});
}
ScriptModule Conv3x3(int64_t in, int64_t out, int64_t stride) {
  return Conv2d({in, out, 3, stride, 1});
}

// What is added to a block's output: its input, or a projection of it.
constexpr char kIdentity[] = "x";
constexpr char kProjection[] = "self.downsample.forward(x)";

// The last BatchNorm of a block begins with 0, so that the block begins as its shortcut (Goyal et
// al. 2017, arXiv 1706.02677, section 5.1).
ScriptModule BasicBlock(int64_t in, int64_t width, int64_t stride, const std::string& shortcut) {
  Children children = {{"conv1", Conv3x3(in, width, stride)},
                       {"bn1", BatchNorm(width)},
                       {"conv2", Conv3x3(width, width, 1)},
                       {"bn2", BatchNorm(width, 0)}};
  if (shortcut == kProjection) {
    children.emplace_back("downsample", Sequential({Conv1x1(in, width, stride), BatchNorm(width)}));
  }
  return NewModule("BasicBlock", children,
                   absl::StrCat("  out = torch.relu_(self.bn1.forward(self.conv1.forward(x)))\n"
                                "  out = self.bn2.forward(self.conv2.forward(out))\n"
                                "  out += ",
                                shortcut,
                                "\n"
                                "  return torch.relu_(out)\n"));
}

}  // namespace

ScriptModule ResNet18(int64_t width, Stem stem, const ImageShape& shape) {
  const bool cifar = stem == Stem::kCifar;
  Children children = {{"conv1", cifar ? Conv3x3(shape.channels, width, 1)
                                       : Conv2d({shape.channels, width, 7, 2, 3})},
                       {"bn1", BatchNorm(width)}};
  std::string body = "  x = torch.relu_(self.bn1.forward(self.conv1.forward(x)))\n";
  if (!cifar) absl::StrAppend(&body, "  x = torch.max_pool2d(x, [3, 3], [2, 2], [1, 1])\n");
  int64_t in = width;
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t out = width << stage;
    const bool same = stage == 0;
    children.emplace_back(
        absl::StrCat("layer", stage + 1),
        Sequential({BasicBlock(in, out, same ? 1 : 2, same ? kIdentity : kProjection),
                    BasicBlock(out, out, 1, kIdentity)}));
    absl::StrAppend(&body, "  x = self.layer", stage + 1, ".forward(x)\n");
    in = out;
  }
  children.emplace_back("fc", Linear(in, shape.classes, true));
  return NewModule("ResNet18", children,
                   absl::StrCat(body,
                                "  x = torch.adaptive_avg_pool2d(x, [1, 1])\n"
                                "  return self.fc.forward(torch.flatten(x, 1))\n"));
}

ScriptModule ResNet20(int64_t width, const ImageShape& shape) {
  Children children = {{"conv1", Conv3x3(shape.channels, width, 1)}, {"bn1", BatchNorm(width)}};
  std::string body = "  x = torch.relu_(self.bn1.forward(self.conv1.forward(x)))\n";
  int64_t in = width;
  for (int stage = 0; stage < 3; ++stage) {
    const int64_t out = width << stage;
    // Every other pixel, and zeros for the channels that are new.
    const std::string halves =
        absl::StrCat("torch.constant_pad_nd(x[:, :, ::2, ::2], [0, 0, 0, 0, ", in / 2, ", ",
                     out - in - in / 2, "])");
    std::vector<ScriptModule> layer;
    for (int block = 0; block < 3; ++block) {
      const bool first = stage > 0 && block == 0;
      layer.push_back(BasicBlock(in, out, first ? 2 : 1, first ? halves : kIdentity));
      in = out;
    }
    children.emplace_back(absl::StrCat("layer", stage + 1), Sequential(layer));
    absl::StrAppend(&body, "  x = self.layer", stage + 1, ".forward(x)\n");
  }
  children.emplace_back("fc", Linear(in, shape.classes, true));
  return NewModule("ResNet20", children,
                   absl::StrCat(body,
                                "  x = torch.adaptive_avg_pool2d(x, [1, 1])\n"
                                "  return self.fc.forward(torch.flatten(x, 1))\n"));
}

}  // namespace conadv
