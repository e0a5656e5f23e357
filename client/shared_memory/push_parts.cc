// SPDX-License-Identifier: Apache-2.0
#include "client/shared_memory/push_parts.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace conadv {
namespace {

// A push leaves in this many messages at most, and in none that has less than a chunk: each wakes a
// thread of the server.
constexpr size_t kMessages = 16;

// As one with the last of them, if they lie beside each other: backward passes come from the end.
void AddPart(const SharedPart& part, std::vector<SharedPart>* parts) {
  if (parts->empty()) return parts->push_back(part);
  SharedPart& last = parts->back();
  if (part.place + part.size == last.place) {
    last = {part.place, part.offset, part.size + last.size};
  } else if (last.place + last.size == part.place) {
    last.size += part.size;
  } else {
    parts->push_back(part);
  }
}

}  // namespace

SharedPart PartOf(const PushContent& content, const Range& part) {
  return {content.arena_begin + part.begin, part.begin, part.size()};
}

NextParts TakeParts(const PushContent& content, size_t* sent, std::function<void()> woken) {
  ReadyChunks& ready = *content.ready;
  const size_t least = (ready.count() + kMessages - 1) / kMessages;
  const size_t target = std::min(*sent + least, ready.count());
  NextParts next;
  next.state = ready.Get(target - 1, std::move(woken)).state;
  if (next.state != ReadyChunks::State::kReady) return next;
  for (; *sent < target; ++*sent) {
    const Range chunk = ready.Get(*sent, nullptr).chunk;
    // An empty range is one empty chunk.
    if (chunk.size() > 0) AddPart(PartOf(content, chunk), &next.parts.parts);
  }
  next.parts.last = target == ready.count();
  return next;
}

}  // namespace conadv
