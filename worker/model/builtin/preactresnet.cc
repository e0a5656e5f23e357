// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "worker/model/builtin/architectures.h"

namespace conadv {
namespace {

ScriptModule PreActBlock(const Layers& make, int64_t in, int64_t out, int64_t stride) {
  Layers::Children children = {{"bn1", make.BatchNorm(in)},
                               {"conv1", make.Conv2d({in, out, 3, stride, 1})},
                               {"bn2", make.BatchNorm(out)},
                               {"conv2", make.Conv2d({out, out, 3, 1, 1})}};
  const bool same = stride == 1 && in == out;
  if (!same) {
    children.emplace_back("shortcut", make.Sequential({make.Conv2d({in, out, 1, stride, 0})}));
  }
  return make.New("PreActBlock", children,
                  absl::StrCat("  out = torch.relu_(self.bn1.forward(x))\n"
                               "  shortcut = ",
                               same ? "x" : "self.shortcut.forward(out)",
                               "\n"
                               "  out = self.conv1.forward(out)\n"
                               "  out = self.conv2.forward(torch.relu_(self.bn2.forward(out)))\n"
                               "  out += shortcut\n"
                               "  return out\n"));
}

}  // namespace

ScriptModule PreActResNet18(int64_t width, const ImageShape& shape) {
  const Layers make;
  Layers::Children children = {{"conv1", make.Conv2d({shape.channels, width, 3, 1, 1})}};
  std::string body = "  x = self.conv1.forward(x)\n";
  int64_t in = width;
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t out = width << stage;
    children.emplace_back(absl::StrCat("layer", stage + 1),
                          make.Sequential({PreActBlock(make, in, out, stage > 0 ? 2 : 1),
                                           PreActBlock(make, out, out, 1)}));
    absl::StrAppend(&body, "  x = self.layer", stage + 1, ".forward(x)\n");
    in = out;
  }
  children.emplace_back("bn", make.BatchNorm(in));
  children.emplace_back("linear", make.Linear(in, shape.classes, true));
  return make.New("PreActResNet18", children,
                  absl::StrCat(body,
                               "  x = torch.relu_(self.bn.forward(x))\n"
                               "  x = torch.adaptive_avg_pool2d(x, [1, 1])\n"
                               "  return self.linear.forward(torch.flatten(x, 1))\n"));
}

}  // namespace conadv
