// SPDX-License-Identifier: Apache-2.0
// How a process connects to another: the same limits on every channel. Thread-safe.
#ifndef CONADV_COMMON_WIRE_CHANNEL_H_
#define CONADV_COMMON_WIRE_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "common/wire/client_credentials.h"

namespace conadv {

// Connects when first used and again whenever the connection is lost. Keep-alive pings find a dead
// peer in about 20 s. A channel of its own, so that two of them to one peer are two connections.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const ClientCredentials& credentials = {});

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_CHANNEL_H_
