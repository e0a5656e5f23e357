// SPDX-License-Identifier: Apache-2.0
// Which examples a unit of work has, one line: unit_examples SEED EXAMPLES SLOTS SLOT_SIZE STEP
// SLOT. For replays in Python that have to cut a slot as workers do.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "common/base/ids.h"
#include "worker/data/permutation.h"

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "unit_examples SEED EXAMPLES SLOTS SLOT_SIZE STEP SLOT\n";
    return 2;
  }
  std::vector<uint64_t> numbers;
  for (int i = 1; i < argc; ++i) numbers.push_back(std::strtoull(argv[i], nullptr, 10));
  const conadv::Unit unit{conadv::Step(numbers[4]), conadv::Slot(numbers[5])};
  for (const uint64_t example :
       conadv::UnitExamples(numbers[0], numbers[1], static_cast<uint32_t>(numbers[2]),
                            static_cast<uint32_t>(numbers[3]), unit)) {
    std::cout << example << " ";
  }
  std::cout << "\n";
  return 0;
}
