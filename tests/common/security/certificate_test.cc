// SPDX-License-Identifier: Apache-2.0
#include "common/security/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/certificates.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(2'000'000'000);

Subject Named(const std::string& name, const std::string& unit) {
  Subject subject;
  subject.name = name;
  subject.unit = unit;
  return subject;
}

absl::Status Verify(const CertificateAuthority& roots, const std::string& chain) {
  return CertificateRoots::Parse(roots.root())->VerifyClient(*CertificateChain::Parse(chain), kNow);
}

TEST(Certificate, SaysWhoItIsAndHowLong) {
  Subject subject = Named("worker-3", "worker");
  subject.not_before = kNow - absl::Hours(1);
  subject.not_after = kNow + absl::Hours(1);
  const auto chain = CertificateChain::Parse(CertificateAuthority().Issue(subject).certificate);
  ASSERT_TRUE(chain.ok()) << chain.status();
  EXPECT_EQ(chain->common_name(), "worker-3");
  EXPECT_THAT(chain->organizational_units(), ElementsAre("worker"));
  EXPECT_EQ(chain->not_before(), subject.not_before);
  EXPECT_EQ(chain->not_after(), subject.not_after);
}

TEST(Certificate, IsBelievedOnlyIfARootSignedItAndItIsItsTime) {
  const CertificateAuthority authority;
  const CertificateAuthority other;
  const Issued issued = authority.Issue(Named("a", "worker"));
  EXPECT_TRUE(Verify(authority, issued.certificate).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(Verify(other, issued.certificate)));

  Subject expired = Named("a", "worker");
  expired.not_after = kNow - absl::Seconds(1);
  const absl::Status old = Verify(authority, authority.Issue(expired).certificate);
  EXPECT_TRUE(absl::IsUnauthenticated(old));
  EXPECT_THAT(old.message(), HasSubstr("expired, on 2033-05-18 03:33:19 UTC"));

  Subject early = Named("a", "worker");
  early.not_before = kNow + absl::Hours(1);
  EXPECT_THAT(Verify(authority, authority.Issue(early).certificate).message(),
              HasSubstr("not yet valid"));
  // A root that the peer brings along is not ours.
  EXPECT_FALSE(Verify(authority, other.Issue(expired).certificate + other.root()).ok());
}

TEST(Certificate, AKeyOfAnotherOneIsRefused) {
  const CertificateAuthority authority;
  const Issued one = authority.Issue(Named("a", ""));
  const Issued two = authority.Issue(Named("b", ""));
  const auto chain = CertificateChain::Parse(one.certificate + authority.root());
  ASSERT_TRUE(chain.ok()) << chain.status();
  EXPECT_TRUE(chain->CheckKey(one.key).ok());
  EXPECT_THAT(chain->CheckKey(two.key).message(), HasSubstr("another certificate"));
  EXPECT_THAT(chain->CheckKey("").message(), HasSubstr("no private key"));
  EXPECT_THAT(chain->CheckKey(one.certificate).message(), HasSubstr("no private key"));
}

TEST(Certificate, AnythingElseThanPemIsRefused) {
  const std::string pem = CertificateAuthority().root();
  for (const std::string& text :
       {std::string(), std::string("hello"), pem.substr(0, pem.size() / 2),
        pem + pem.substr(0, pem.size() / 2), std::string(100'000, '-')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CertificateChain::Parse(text).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(CertificateRoots::Parse(text).status()));
  }
}

}  // namespace
}  // namespace conadv
