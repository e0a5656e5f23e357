// SPDX-License-Identifier: Apache-2.0
// Who waits for a server whose certificate it does not trust is told so, and goes on waiting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "client/run/find_run.h"
#include "tests/server/rpc/tiny_server.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

class UntrustedCertificateTest : public testing::Test {
 protected:
  // What somebody who trusts `roots` hears first while it waits for a server of that subject.
  std::string FirstWord(const std::string& roots, const Subject& subject, bool wait_for_ready) {
    const Issued issued = authority_.Issue(subject);
    WriteFile(directory_ / "key", issued.key);
    WriteFile(directory_ / "cert", issued.certificate);
    WriteFile(directory_ / "tokens", "worker 0123456789abcdef\n");
    WriteFile(directory_ / "roots", roots);
    LaunchOptions launch;
    launch.job = JobOf(TinyRun());
    launch.listen = "127.0.0.1:0";
    launch.security.files = {"", directory_ / "cert", directory_ / "key", "",
                             directory_ / "tokens"};
    launch.security.authorizer =
        *Authorizer::Create(launch.security.files, &FileSystem::Real(), &Clock::Real());
    const auto server = Server::Start(std::move(launch));
    EXPECT_TRUE(server.ok()) << server.status();
    FindRunOptions options;
    options.credentials = *ClientCredentials::Create({directory_ / "roots", "", "", "", ""},
                                                     &FileSystem::Real(), &Clock::Real());
    options.timeout = absl::Hours(1);
    options.most_for_try = absl::Milliseconds(300);
    options.wait_for_ready = wait_for_ready;
    std::string word;
    options.waiting = [&word](const absl::Status& why) { word = std::string(why.message()); };
    options.stopped = [&word] { return !word.empty(); };
    // It would wait on: a certificate may be replaced meanwhile.
    EXPECT_TRUE(absl::IsCancelled(FindRun((*server)->address(), options).status()));
    return word;
  }

  const TempDir directory_;
  const CertificateAuthority authority_;
};

TEST_F(UntrustedCertificateTest, OfAnotherAuthority) {
  EXPECT_THAT(FirstWord(CertificateAuthority().root(), {}, false), HasSubstr("--tls_ca"));
}

TEST_F(UntrustedCertificateTest, OfAnotherAuthorityToWhoWaitsForTheConnection) {
  EXPECT_THAT(FirstWord(CertificateAuthority().root(), {}, true), HasSubstr("--tls_ca"));
}

TEST_F(UntrustedCertificateTest, ThatIsOver) {
  Subject subject;
  subject.not_after = absl::FromUnixSeconds(1'000'000'000);
  EXPECT_THAT(FirstWord(authority_.root(), subject, false), HasSubstr("is over"));
}

TEST_F(UntrustedCertificateTest, OfAnotherName) {
  Subject subject;
  subject.hosts = "DNS:elsewhere";
  EXPECT_THAT(FirstWord(authority_.root(), subject, false), HasSubstr("another name"));
}

}  // namespace
}  // namespace conadv
