// SPDX-License-Identifier: Apache-2.0
// How much heap memory a piece of code takes, at its most. Counts this program's operator new, or
// with a sanitizer its malloc. For one thread; one meter at a time.
#ifndef CONADV_TESTS_FUZZ_ALLOCATION_H_
#define CONADV_TESTS_FUZZ_ALLOCATION_H_

#include <cstddef>

namespace conadv::fuzz {

class AllocationMeter {
 public:
  AllocationMeter();
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  // The most bytes since the meter was made, beyond what there was then.
  size_t most_bytes() const;
};

// Aborts if that is past `limit`.
void RequireBounded(const AllocationMeter& meter, size_t limit);

}  // namespace conadv::fuzz

#endif  // CONADV_TESTS_FUZZ_ALLOCATION_H_
