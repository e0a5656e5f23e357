// SPDX-License-Identifier: Apache-2.0
// What a small file says, read again when it may have changed: secrets are renewed under running
// programs. Thread-safe.
#ifndef CONADV_COMMON_SECURITY_WATCHED_FILE_H_
#define CONADV_COMMON_SECURITY_WATCHED_FILE_H_

#include <glog/logging.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/thread/mutex.h"

namespace conadv {

template <class T>
class WatchedFile {
 public:
  using Parse = std::function<absl::StatusOr<T>(absl::string_view text)>;

  // Reads it. Errors name the path. `files` and `clock` outlive it.
  static absl::StatusOr<std::unique_ptr<WatchedFile>> Open(std::string path, Parse parse,
                                                           const FileSystem* files,
                                                           const Clock* clock) {
    std::unique_ptr<WatchedFile> file(
        new WatchedFile(std::move(path), std::move(parse), files, clock));
    MutexLock lock(&file->mutex_);
    absl::Status status = file->Read();
    if (!status.ok()) return status;
    return file;
  }

  // Looks at the file at most once a second. What cannot be read or is wrong, as while it is being
  // replaced, leaves what was there before, with a warning.
  std::shared_ptr<const T> Get() {
    MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    if (now - read_ < kInterval) return value_;
    const absl::Status status = Read();
    if (!status.ok() && status != complaint_) {
      LOG(WARNING) << status.message() << "; what it said before goes on to count";
    }
    complaint_ = status;
    return value_;
  }

  const std::string& path() const { return path_; }

 private:
  static constexpr absl::Duration kInterval = absl::Seconds(1);

  WatchedFile(std::string path, Parse parse, const FileSystem* files, const Clock* clock)
      : path_(std::move(path)), parse_(std::move(parse)), files_(files), clock_(clock) {}

  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    read_ = clock_->Now();
    absl::StatusOr<std::string> text = files_->Read(path_);
    if (!text.ok()) return text.status();
    if (value_ != nullptr && *text == text_) return absl::OkStatus();
    absl::StatusOr<T> value = parse_(*text);
    if (!value.ok()) {
      return absl::Status(value.status().code(),
                          absl::StrCat(path_, ": ", value.status().message()));
    }
    value_ = std::make_shared<const T>(*std::move(value));
    text_ = *std::move(text);
    return absl::OkStatus();
  }

  const std::string path_;
  const Parse parse_;
  const FileSystem* const files_;
  const Clock* const clock_;
  Mutex mutex_;
  absl::Time read_ ABSL_GUARDED_BY(mutex_);
  std::string text_ ABSL_GUARDED_BY(mutex_);
  absl::Status complaint_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const T> value_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_COMMON_SECURITY_WATCHED_FILE_H_
