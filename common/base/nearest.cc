// SPDX-License-Identifier: Apache-2.0
#include "common/base/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/match.h"

namespace conadv {
namespace {

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  std::iota(table[0].begin(), table[0].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({replaced, table[i - 1][j] + 1, table[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.size()][b.size()];
}

bool Plausible(absl::string_view word, absl::string_view name, size_t distance) {
  if (word.empty()) return false;
  if (absl::StartsWith(name, word) || absl::StartsWith(word, name)) return true;
  return distance <= std::max(word.size(), name.size()) / 3;
}

}  // namespace

std::string Nearest(absl::string_view word, absl::Span<const std::string> names) {
  std::string nearest;
  size_t best = word.size() + 1000;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(word, name);
    if (distance < best && Plausible(word, name, distance)) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace conadv
