// SPDX-License-Identifier: Apache-2.0
// What a server is told of a push whose values become final one after the other.
#ifndef CONADV_CLIENT_SHARED_MEMORY_PUSH_PARTS_H_
#define CONADV_CLIENT_SHARED_MEMORY_PUSH_PARTS_H_

#include <cstddef>
#include <functional>

#include "client/transfer/parameter_client.h"
#include "client/transfer/ready_chunks.h"
#include "common/protocol/shared_memory_message.h"
#include "common/tensor/layout.h"

namespace conadv {

// `part` is of the shard's arena.
SharedPart PartOf(const PushContent& content, const Range& part);

struct NextParts {
  ReadyChunks::State state = ReadyChunks::State::kLater;
  SharedParts parts;  // kReady
};
// Those after the first `*sent` chunks, as many as are worth a message; then `*sent` counts them
// too. kLater: `woken` is called once, on any thread, when the answer would be another.
// REQUIRES: content.ready is not nullptr, and has chunks after those.
NextParts TakeParts(const PushContent& content, size_t* sent, std::function<void()> woken);

}  // namespace conadv

#endif  // CONADV_CLIENT_SHARED_MEMORY_PUSH_PARTS_H_
