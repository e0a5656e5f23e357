// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/shared_memory/local_push.h"

#include <glog/logging.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk.h"

namespace conadv {
namespace {

// Copied faster than another thread is woken for it.
constexpr uint64_t kSmallElements = (uint64_t{64} << 10) / sizeof(float);
constexpr uint64_t kPieceElements = kChunkBytes / sizeof(float);

}  // namespace

LocalPush::LocalPush(const LocalParts& parts, std::string header,
                     std::shared_ptr<const PeerSegment> segment, std::function<bool()> holds,
                     PushSession::Answer answer)
    : pool_(parts.pool),
      segment_(std::move(segment)),
      holds_(std::move(holds)),
      answer_(std::move(answer)),
      header_(std::move(header)),
      session_(parts.shard, parts.watch, parts.incarnation, [this] {
        // With the watch's lock held, for which the session waits before it is gone.
        End(absl::UnavailableError("nothing came of the push, and others waited for its place"));
      }) {}

absl::Status LocalPush::CheckPart(const SharedPart& part) const {
  const uint64_t elements = segment_->bytes() / sizeof(float);
  if (part.size <= elements && part.place <= elements - part.size) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("push: ", part.size, " elements from ", part.place,
                                                 " on, of a segment of ", elements));
}

absl::Status LocalPush::Add(const SharedParts& parts) {
  uint64_t elements = 0;
  for (const SharedPart& part : parts.parts) {
    CONADV_RETURN_IF_ERROR(CheckPart(part));
    elements += part.size;
  }
  {
    MutexLock lock(&mutex_);
    if (last_) return absl::InvalidArgumentError("parts: the push has had its last");
    came_ += parts.parts.size();
    if (came_ > kMostParts) {
      return absl::InvalidArgumentError(
          absl::StrCat("parts: a push has at most ", kMostParts, " of them"));
    }
    parts_.insert(parts_.end(), parts.parts.begin(), parts.parts.end());
    last_ = parts.last;
    if (std::exchange(running_, true)) return absl::OkStatus();
  }
  if (elements <= kSmallElements) {
    Run();
  } else {
    pool_->Submit([self = shared_from_this()] { self->Run(); });
  }
  return absl::OkStatus();
}

void LocalPush::Cancel() { End(absl::CancelledError("the peer has given it up")); }

void LocalPush::End(const absl::Status& why) {
  MutexLock lock(&mutex_);
  if (last_ || !end_.ok()) return;
  end_ = why;
  if (std::exchange(running_, true)) return;
  // Whoever is gone by now has nobody to answer.
  pool_->Submit([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self != nullptr) self->Run();
  });
}

// REQUIRES: `running_` is ours.
void LocalPush::Run() {
  for (;;) {
    std::optional<SharedPart> part;
    absl::Status end;
    {
      MutexLock lock(&mutex_);
      end = end_;
      if (end.ok() && parts_.empty() && !last_) {
        running_ = false;
        return;
      }
      if (!parts_.empty()) {
        part = parts_.front();
        parts_.pop_front();
      }
    }
    if (!end.ok()) {
      LOG_IF(WARNING, absl::IsUnavailable(end))
          << "push by a process of this machine: " << end.message();
      return answer_(end);
    }
    if (!part.has_value()) {
      // Whoever gave up the push may have written to its memory since: only after it hung up.
      if (!holds_()) return answer_(absl::CancelledError("its peer is gone"));
      return session_.Finish(
          [self = shared_from_this()](const auto& reply) { self->answer_(reply); });
    }
    const absl::Status status = Copy(*part);
    if (!status.ok()) return answer_(status);
    if (session_.is_duplicate()) return answer_(session_.Reply(PushOutcome::kDuplicate));
  }
}

absl::Status LocalPush::Copy(const SharedPart& part) {
  const auto* values = static_cast<const float*>(segment_->data()) + part.place;
  // In pieces, which are checked while they are in the cache.
  for (uint64_t done = 0; done < part.size || !header_.empty();) {
    const uint64_t elements = std::min(part.size - done, kPieceElements);
    Chunk chunk;
    chunk.has_header = !header_.empty();
    chunk.header = std::exchange(header_, {});
    chunk.offset = part.offset + done;
    chunk.payload_size = elements * sizeof(float);
    chunk.payload = {Segment(reinterpret_cast<const uint8_t*>(values + done), chunk.payload_size)};
    CONADV_RETURN_IF_ERROR(session_.Add(chunk));
    if (session_.is_duplicate()) break;
    done += elements;
  }
  return absl::OkStatus();
}

}  // namespace conadv
