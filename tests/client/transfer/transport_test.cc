// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/transport.h"

#include <gtest/gtest.h>

#include "tests/client/transfer/fake_shard.h"

namespace conadv {
namespace {

// Reaches the peers whose address begins with `prefix`.
class Near final : public Transport {
 public:
  explicit Near(std::string prefix) : prefix_(std::move(prefix)) {}
  bool IsViable(const Peer& peer) const override { return peer.address.rfind(prefix_, 0) == 0; }
  std::unique_ptr<ParameterClient> Connect(const Peer&) const override {
    ++connected;
    return std::make_unique<FakeShard>();
  }
  mutable int connected = 0;

 private:
  const std::string prefix_;
};

TEST(Transport, APeerIsReachedByTheFirstThatIsViableForIt) {
  const Near host("127.");
  const Near anywhere("");
  EXPECT_NE(ConnectByFirstViable({&host, &anywhere}, {"127.0.0.1:7000", 0, "w"}), nullptr);
  EXPECT_EQ(host.connected, 1);
  EXPECT_NE(ConnectByFirstViable({&host, &anywhere}, {"10.0.0.1:7000", 0, "w"}), nullptr);
  EXPECT_EQ(host.connected, 1);
  EXPECT_EQ(anywhere.connected, 1);
  EXPECT_EQ(ConnectByFirstViable({&host}, {"10.0.0.1:7000", 0, "w"}), nullptr);
}

}  // namespace
}  // namespace conadv
