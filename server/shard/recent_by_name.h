// SPDX-License-Identifier: Apache-2.0
// Values by a name that peers chose, in a bounded number of bytes: those that were not touched for
// the longest make room. Pure state; not thread-safe.
#ifndef CONADV_SERVER_SHARD_RECENT_BY_NAME_H_
#define CONADV_SERVER_SHARD_RECENT_BY_NAME_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace conadv {

template <class Value>
class RecentByName {
 public:
  explicit RecentByName(uint64_t most_bytes) : most_bytes_(most_bytes) {}

  // Lets `change` change the name's value, which begins as Value(); it answers with the bytes that
  // the value takes then, beyond its own size.
  template <class Change>
  void Touch(const std::string& name, const Change& change) {
    Entry& entry = entries_[name];
    if (entry.touched != 0) by_touch_.erase(entry.touched);
    bytes_ -= entry.bytes;
    entry.touched = ++touches_;
    entry.bytes = change(entry.value) + 2 * name.size() + sizeof(Entry) + kNodes;
    bytes_ += entry.bytes;
    by_touch_.emplace(entry.touched, name);
    while (bytes_ > most_bytes_ && entries_.size() > 1) Drop(by_touch_.begin());
  }
  std::map<std::string, Value> Read() const {
    std::map<std::string, Value> values;
    for (const auto& [name, entry] : entries_) values.emplace(name, entry.value);
    return values;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Value value{};
    uint64_t touched = 0;  // when, in touches
    uint64_t bytes = 0;
  };
  static constexpr uint64_t kNodes = 160;  // of the two maps

  void Drop(std::map<uint64_t, std::string>::iterator oldest) {
    const auto entry = entries_.find(oldest->second);
    bytes_ -= entry->second.bytes;
    entries_.erase(entry);
    by_touch_.erase(oldest);
  }

  const uint64_t most_bytes_;
  uint64_t bytes_ = 0;
  uint64_t touches_ = 0;
  std::map<std::string, Entry> entries_;
  std::map<uint64_t, std::string> by_touch_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_RECENT_BY_NAME_H_
