// SPDX-License-Identifier: Apache-2.0
// What a process shows to the servers that it connects to, and by what it knows them. A value;
// thread-safe.
#ifndef CONADV_COMMON_WIRE_CLIENT_CREDENTIALS_H_
#define CONADV_COMMON_WIRE_CLIENT_CREDENTIALS_H_

#include <grpcpp/security/credentials.h>

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/security/security_files.h"

namespace conadv {

class ClientCredentials {
 public:
  // Nothing: no encryption.
  ClientCredentials();
  // By what the files name, see CheckClientFiles; certificates, keys, roots and tokens that are
  // renewed there count within seconds, for connections and calls that begin then. A file and its
  // key have to be replaced together, by a link or a directory that is renamed. `file_system` and
  // `clock` outlive all that is made of it.
  static absl::StatusOr<ClientCredentials> Create(const SecurityFiles& files,
                                                  const FileSystem* file_system,
                                                  const Clock* clock);

  const std::shared_ptr<grpc::ChannelCredentials>& channel() const { return channel_; }

 private:
  explicit ClientCredentials(std::shared_ptr<grpc::ChannelCredentials> channel)
      : channel_(std::move(channel)) {}

  std::shared_ptr<grpc::ChannelCredentials> channel_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_CLIENT_CREDENTIALS_H_
