// SPDX-License-Identifier: Apache-2.0
// What a few small files say together, read again when they may have changed: secrets are renewed
// under running programs. Thread-safe.
#ifndef CONADV_COMMON_SECURITY_WATCHED_FILES_H_
#define CONADV_COMMON_SECURITY_WATCHED_FILES_H_

#include <glog/logging.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/thread/mutex.h"

namespace conadv {

// How often files with secrets are looked at, by whoever does it.
inline constexpr unsigned kSecretsIntervalSeconds = 1;

template <class T>
class WatchedFiles {
 public:
  // Of what the files say, in the order of their paths. Errors name the file.
  using Parse = std::function<absl::StatusOr<T>(const std::vector<std::string>& texts)>;
  using ParseOne = std::function<absl::StatusOr<T>(absl::string_view text)>;

  // Reads them. Errors name the file. `files` and `clock` outlive it.
  static absl::StatusOr<std::unique_ptr<WatchedFiles>> Open(std::vector<std::string> paths,
                                                            Parse parse, const FileSystem* files,
                                                            const Clock* clock) {
    std::unique_ptr<WatchedFiles> watched(
        new WatchedFiles(std::move(paths), std::move(parse), files, clock));
    MutexLock lock(&watched->mutex_);
    absl::Status status = watched->Read();
    if (!status.ok()) return status;
    return watched;
  }
  // A single one, whose path comes before what is wrong with it.
  static absl::StatusOr<std::unique_ptr<WatchedFiles>> OpenOne(const std::string& path,
                                                               ParseOne parse,
                                                               const FileSystem* files,
                                                               const Clock* clock) {
    const auto parse_only = [path, parse = std::move(parse)](
                                const std::vector<std::string>& texts) -> absl::StatusOr<T> {
      absl::StatusOr<T> value = parse(texts.front());
      if (value.ok()) return value;
      return absl::Status(value.status().code(),
                          absl::StrCat(path, ": ", value.status().message()));
    };
    return Open({path}, parse_only, files, clock);
  }

  // Looks at the files at most once an interval. What cannot be read or is wrong, as while it is
  // being replaced, leaves what was there before, with a warning.
  std::shared_ptr<const T> Get() {
    MutexLock lock(&mutex_);
    if (clock_->Now() - read_ < absl::Seconds(kSecretsIntervalSeconds)) return value_;
    const absl::Status status = Read();
    if (!status.ok() && status != complaint_) {
      LOG(WARNING) << status.message() << "; what was there before goes on to count";
    }
    complaint_ = status;
    return value_;
  }

 private:
  WatchedFiles(std::vector<std::string> paths, Parse parse, const FileSystem* files,
               const Clock* clock)
      : paths_(std::move(paths)), parse_(std::move(parse)), files_(files), clock_(clock) {}

  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    read_ = clock_->Now();
    std::vector<std::string> texts;
    for (const std::string& path : paths_) {
      absl::StatusOr<std::string> text = files_->Read(path);
      if (!text.ok()) return text.status();
      texts.push_back(*std::move(text));
    }
    if (value_ != nullptr && texts == texts_) return absl::OkStatus();
    absl::StatusOr<T> value = parse_(texts);
    if (!value.ok()) return value.status();
    value_ = std::make_shared<const T>(*std::move(value));
    texts_ = std::move(texts);
    return absl::OkStatus();
  }

  const std::vector<std::string> paths_;
  const Parse parse_;
  const FileSystem* const files_;
  const Clock* const clock_;
  Mutex mutex_;
  absl::Time read_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> texts_ ABSL_GUARDED_BY(mutex_);
  absl::Status complaint_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const T> value_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_COMMON_SECURITY_WATCHED_FILES_H_
