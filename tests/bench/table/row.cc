// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/table/row.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace conadv::bench {
namespace {

void Append(const char* key, const std::string& text, std::string* out) {
  absl::StrAppend(out, *out == "{" ? "" : ", ", "\"", key, "\": ", nlohmann::json(text).dump());
}

void Append(const char* key, double number, std::string* out) {
  absl::StrAppend(out, ", \"", key, "\": ", number);
}

}  // namespace

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void Print(const Row& row) {
  std::string line = "{";
  Append("row", row.name, &line);
  Append("unit", row.unit, &line);
  Append("ours", Median(row.ours), &line);
  Append("rounds", static_cast<double>(row.ours.size()), &line);
  if (!row.theirs.empty()) {
    std::vector<double> ratios;
    for (size_t i = 0; i < row.ours.size(); ++i) ratios.push_back(row.ours[i] / row.theirs[i]);
    Append("reference", row.reference, &line);
    Append("theirs", Median(row.theirs), &line);
    Append("ratio", Median(row.ours) / Median(row.theirs), &line);
    Append("lowest", *std::min_element(ratios.begin(), ratios.end()), &line);
    Append("highest", *std::max_element(ratios.begin(), ratios.end()), &line);
  }
  if (row.reach.has_value()) Append(row.at_most ? "at_most" : "at_least", *row.reach, &line);
  if (!row.note.empty()) Append("note", row.note, &line);
  std::printf("%s}\n", line.c_str());
  std::fflush(stdout);
}

std::vector<std::vector<double>> Interleave(int rounds,
                                            const std::vector<std::function<double()>>& samples) {
  std::vector<std::vector<double>> seen(samples.size());
  for (int round = -1; round < rounds; ++round) {
    for (size_t i = 0; i < samples.size(); ++i) {
      const size_t which = round % 2 == 0 ? i : samples.size() - 1 - i;
      const double value = samples[which]();
      if (round >= 0) seen[which].push_back(value);
    }
  }
  return seen;
}

}  // namespace conadv::bench
