// SPDX-License-Identifier: Apache-2.0
// One row of `make bench`'s table: a figure of ours beside a reference that was measured in the
// same run, in turn with it. A program prints rows on standard output, one line of JSON each, for
// table.py to collect; what it has to say to people goes to standard error.
#ifndef CONADV_TESTS_BENCH_TABLE_ROW_H_
#define CONADV_TESTS_BENCH_TABLE_ROW_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace conadv::bench {

// REQUIRES: values is not empty.
double Median(std::vector<double> values);

struct Row {
  std::string name;
  std::string unit;       // of both figures, "GB/s" for example
  std::string reference;  // what it is measured against; empty: nothing, the figure itself counts
  std::vector<double> ours;    // one sample a round
  std::vector<double> theirs;  // as many, from the same rounds; none without a reference
  // What the ratio ours / theirs should reach, or the figure itself without a reference.
  std::optional<double> reach;
  bool at_most = false;  // `reach` bounds it from above, as it does times
  std::string note;      // what bounds it, for example
};

// Medians, their ratio, and its smallest and largest value of one round.
void Print(const Row& row);

// Calls each of `samples` once a round, in turn and in the opposite order every other round, so
// that what else the machine does falls on all of them. One more round before is not counted.
// result[i] is of samples[i].
std::vector<std::vector<double>> Interleave(int rounds,
                                            const std::vector<std::function<double()>>& samples);

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_TABLE_ROW_H_
