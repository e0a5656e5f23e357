// SPDX-License-Identifier: Apache-2.0
#include "worker/data/class_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadClassNames, TakesALineForEachClass) {
  const TempDir root;
  EXPECT_THAT(*ReadClassNames(root / "names"), IsEmpty());
  WriteFile(root / "names", "ant\r\nsea lion \n\n");
  EXPECT_THAT(*ReadClassNames(root / "names"), ElementsAre("ant", "sea lion"));
  WriteFile(root / "names", "\n");
  EXPECT_THAT(*ReadClassNames(root / "names"), IsEmpty());
  WriteFile(root / "names", "ant\n\nbee\n");
  EXPECT_EQ(
      ReadClassNames(root / "names").status(),
      absl::InvalidArgumentError(root / "names: line 2 is empty; each line must name a class"));
}

TEST(DescribeClasses, IsShort) {
  EXPECT_EQ(DescribeClasses(1, {}), "1 class");
  EXPECT_EQ(DescribeClasses(10, {}), "10 classes");
  EXPECT_EQ(DescribeClasses(2, {"ant", "b\x1b"}), "2 classes: ant, b\\x1b");
  EXPECT_EQ(DescribeClasses(5, {"a", "b", "c", "d", "e"}), "5 classes: a, b, … e");
}

}  // namespace
}  // namespace conadv
