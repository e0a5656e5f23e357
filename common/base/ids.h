// SPDX-License-Identifier: Apache-2.0
// Typed whole numbers, so that a step is never passed where a version is meant. Plain values.
#ifndef CONADV_COMMON_BASE_IDS_H_
#define CONADV_COMMON_BASE_IDS_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

namespace conadv {

template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(uint64_t value) : value_(value) {}
  constexpr uint64_t value() const { return value_; }

  constexpr Id operator+(uint64_t n) const { return Id(value_ + n); }
  // REQUIRES: n <= value().
  constexpr Id operator-(uint64_t n) const { return Id(value_ - n); }
  // value() - n, but never below 0.
  constexpr Id MinusOrZero(uint64_t n) const { return Id(value_ < n ? 0 : value_ - n); }
  // Distance. REQUIRES: earlier <= *this.
  constexpr uint64_t Since(Id earlier) const { return value_ - earlier.value_; }
  constexpr Id& operator++() {
    ++value_;
    return *this;
  }

  friend constexpr bool operator==(Id a, Id b) { return a.value_ == b.value_; }
  friend constexpr bool operator!=(Id a, Id b) { return a.value_ != b.value_; }
  friend constexpr bool operator<(Id a, Id b) { return a.value_ < b.value_; }
  friend constexpr bool operator<=(Id a, Id b) { return a.value_ <= b.value_; }
  friend constexpr bool operator>(Id a, Id b) { return a.value_ > b.value_; }
  friend constexpr bool operator>=(Id a, Id b) { return a.value_ >= b.value_; }
  friend std::ostream& operator<<(std::ostream& out, Id id) { return out << id.value_; }
  template <class H>
  friend H AbslHashValue(H hash, Id id) {
    return H::combine(std::move(hash), id.value_);
  }

 private:
  uint64_t value_ = 0;
};

using Version = Id<struct VersionTag>;     // optimizer updates that made the weights
using Step = Id<struct StepTag>;           // the update of step t turns θ_t into θ_{t+1} (SYNC)
using Slot = Id<struct SlotTag>;           // part of a step's global batch
using StreamIndex = Id<struct StreamTag>;  // in the run's list of streams
using MemberId = Id<struct MemberTag>;     // given by the coordinator when a member joins
using Incarnation = Id<struct IncarnationTag>;  // random, picked by a process at its start
using Lineage = Id<struct LineageTag>;  // a run since it began or went back; 0: not known or said

// What is leased, computed, pushed, retried and counted.
struct Unit {
  Step step;
  Slot slot;

  friend bool operator==(const Unit& a, const Unit& b) {
    return a.step == b.step && a.slot == b.slot;
  }
  friend bool operator!=(const Unit& a, const Unit& b) { return !(a == b); }
  friend bool operator<(const Unit& a, const Unit& b) {
    return a.step != b.step ? a.step < b.step : a.slot < b.slot;
  }
  template <class H>
  friend H AbslHashValue(H hash, const Unit& unit) {
    return H::combine(std::move(hash), unit.step, unit.slot);
  }
  std::string ToString() const {
    return "step " + std::to_string(step.value()) + " slot " + std::to_string(slot.value());
  }
  friend std::ostream& operator<<(std::ostream& out, const Unit& unit) {
    return out << unit.ToString();
  }
};

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_IDS_H_
