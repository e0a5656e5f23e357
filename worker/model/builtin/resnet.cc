// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/model/builtin/architectures.h"

namespace conadv {
namespace {

// A block's convolutions, each with a BatchNorm after it.
using Convolutions = std::vector<Conv2dOptions>;

Convolutions Basic(int64_t in, int64_t width, int64_t stride) {
  return {{in, width, 3, stride, 1}, {width, width, 3, 1, 1}};
}

Convolutions Bottleneck(int64_t in, int64_t width, int64_t stride) {
  return {{in, width, 1, 1, 0}, {width, width, 3, stride, 1}, {width, 4 * width, 1, 1, 0}};
}

// What the architectures differ in.
struct Architecture {
  std::string name;
  Stem stem;
  std::vector<int> blocks;  // of each stage
  Convolutions (*block)(int64_t in, int64_t width, int64_t stride);
  bool projects;  // a shortcut between other shapes is a convolution, or else has no parameters
};

// Every other pixel, and zeros for the channels that are new.
std::string Padded(int64_t in, int64_t out) {
  return absl::StrCat("torch.constant_pad_nd(x[:, :, ::2, ::2], [0, 0, 0, 0, ", in / 2, ", ",
                      out - in - in / 2, "])");
}

ScriptModule Block(const Layers& make, const Convolutions& convolutions, bool projects) {
  Layers::Children children;
  std::string body = "  out = x\n";
  int64_t stride = 1;
  for (size_t i = 1; i <= convolutions.size(); ++i) {
    const Conv2dOptions& convolution = convolutions[i - 1];
    stride *= convolution.stride;
    const bool last = i == convolutions.size();
    children.emplace_back(absl::StrCat("conv", i), make.Conv2d(convolution));
    // The last one begins with 0, so that the block begins as its shortcut (Goyal et al. 2017,
    // arXiv 1706.02677, section 5.1).
    children.emplace_back(absl::StrCat("bn", i), make.BatchNorm(convolution.out, last ? 0 : 1));
    absl::StrAppend(&body, "  out = self.bn", i, ".forward(self.conv", i, ".forward(out))\n",
                    last ? "" : "  out = torch.relu_(out)\n");
  }
  const int64_t in = convolutions.front().in, out = convolutions.back().out;
  std::string shortcut = "x";
  if (projects && (stride != 1 || in != out)) {
    shortcut = "self.downsample.forward(x)";
    children.emplace_back(
        "downsample", make.Sequential({make.Conv2d({in, out, 1, stride, 0}), make.BatchNorm(out)}));
  } else if (in != out) {
    shortcut = Padded(in, out);
  }
  return make.New("Block", children,
                  absl::StrCat(body, "  out += ", shortcut, "\n  return torch.relu_(out)\n"));
}

ScriptModule ResNet(const Architecture& architecture, int64_t width, const ImageShape& shape) {
  const Layers make;
  const bool cifar = architecture.stem == Stem::kCifar;
  Layers::Children children = {
      {"conv1", make.Conv2d({shape.channels, width, cifar ? 3 : 7, cifar ? 1 : 2, cifar ? 1 : 3})},
      {"bn1", make.BatchNorm(width)}};
  std::string body = "  x = torch.relu_(self.bn1.forward(self.conv1.forward(x)))\n";
  if (!cifar) absl::StrAppend(&body, "  x = torch.max_pool2d(x, [3, 3], [2, 2], [1, 1])\n");
  int64_t in = width;
  for (size_t stage = 0; stage < architecture.blocks.size(); ++stage) {
    std::vector<ScriptModule> blocks;
    for (int block = 0; block < architecture.blocks[stage]; ++block) {
      const bool halves = stage > 0 && block == 0;
      const Convolutions convolutions = architecture.block(in, width << stage, halves ? 2 : 1);
      blocks.push_back(Block(make, convolutions, architecture.projects));
      in = convolutions.back().out;
    }
    children.emplace_back(absl::StrCat("layer", stage + 1), make.Sequential(blocks));
    absl::StrAppend(&body, "  x = self.layer", stage + 1, ".forward(x)\n");
  }
  children.emplace_back("fc", make.Linear(in, shape.classes, true));
  return make.New(architecture.name, children,
                  absl::StrCat(body,
                               "  x = torch.adaptive_avg_pool2d(x, [1, 1])\n"
                               "  return self.fc.forward(torch.flatten(x, 1))\n"));
}

}  // namespace

ScriptModule ResNet18(int64_t width, Stem stem, const ImageShape& shape) {
  return ResNet({"ResNet18", stem, {2, 2, 2, 2}, Basic, true}, width, shape);
}

ScriptModule ResNet50(int64_t width, Stem stem, const ImageShape& shape) {
  return ResNet({"ResNet50", stem, {3, 4, 6, 3}, Bottleneck, true}, width, shape);
}

ScriptModule ResNet20(int64_t width, const ImageShape& shape) {
  return ResNet({"ResNet20", Stem::kCifar, {3, 3, 3}, Basic, false}, width, shape);
}

}  // namespace conadv
