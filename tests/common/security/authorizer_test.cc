// SPDX-License-Identifier: Apache-2.0
#include "common/security/authorizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

constexpr char kToken[] = "0123456789abcdef";
constexpr char kNext[] = "fedcba9876543210";

class AuthorizerTest : public ::testing::Test {
 protected:
  AuthorizerTest() {
    clock_.wall_ahead = absl::Seconds(2'000'000'000);
    files_.tokens = directory_ / "tokens";
    files_.ca = directory_ / "ca.crt";
    WriteFile(files_.tokens, absl::StrCat("worker ", kToken));
    WriteFile(files_.ca, authority_.root());
  }

  void Start() {
    auto authorizer = Authorizer::Create(files_, &FileSystem::Real(), &clock_);
    ASSERT_TRUE(authorizer.ok()) << authorizer.status();
    authorizer_ = *std::move(authorizer);
  }

  absl::StatusOr<AccessRole> WithHeader(absl::string_view header) {
    CallerProof proof;
    proof.authorization = header;
    return authorizer_->RoleOf(proof);
  }
  absl::StatusOr<AccessRole> WithToken(absl::string_view token) {
    return WithHeader(absl::StrCat("Bearer ", token));
  }
  absl::StatusOr<AccessRole> WithCertificate(const std::string& pem) {
    CallerProof proof;
    proof.certificates = pem;
    return authorizer_->RoleOf(proof);
  }
  std::string Certificate(const std::string& unit, absl::Duration life = absl::Hours(24)) {
    Subject subject;
    subject.unit = unit;
    subject.not_after = clock_.WallNow() + life;
    return authority_.Issue(subject).certificate;
  }

  TempDir directory_;
  FakeClock clock_;
  CertificateAuthority authority_;
  SecurityFiles files_;
  std::unique_ptr<Authorizer> authorizer_;
};

TEST_F(AuthorizerTest, ATokenOrACertificateGivesARole) {
  Start();
  EXPECT_EQ(*WithToken(kToken), AccessRole::kWorker);
  EXPECT_EQ(*WithHeader(absl::StrCat("bearer  ", kToken)), AccessRole::kWorker);
  EXPECT_EQ(*WithHeader(absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat("me:", kToken)))),
            AccessRole::kWorker);
  EXPECT_EQ(*WithCertificate(Certificate("admin")), AccessRole::kAdmin);
}

TEST_F(AuthorizerTest, WhoShowsNothingOrSomethingWrongIsTold) {
  Start();
  const absl::Status nothing = authorizer_->RoleOf({}).status();
  EXPECT_TRUE(absl::IsUnauthenticated(nothing));
  EXPECT_THAT(nothing.message(), HasSubstr("--token_file=FILE) or a certificate"));
  for (const char* const header :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Digest 0123456789abcdef",
        "0123456789abcdef", "Basic 0123456789abcdef", "Basic *"}) {
    const absl::Status status = WithHeader(header).status();
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << header;
    EXPECT_THAT(status.message(), Not(HasSubstr("0123"))) << header;
  }
  EXPECT_TRUE(absl::IsUnauthenticated(WithCertificate("no certificate").status()));
  EXPECT_TRUE(absl::IsPermissionDenied(WithCertificate(Certificate("")).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(WithCertificate(Certificate("boss")).status()));
}

TEST_F(AuthorizerTest, ARoleMayDoWhatThoseBelowItMayAndNoMore) {
  Start();
  CallerProof proof;
  const std::string pem = Certificate("server");
  proof.certificates = pem;
  EXPECT_TRUE(authorizer_->Check(proof, AccessRole::kViewer, "x").ok());
  EXPECT_TRUE(authorizer_->Check(proof, AccessRole::kServer, "x").ok());
  const absl::Status status = authorizer_->Check(proof, AccessRole::kAdmin, "Drain");
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_EQ(status.message(), "Drain is for the role admin; yours is server");
  EXPECT_TRUE(authorizer_->Check({}, AccessRole::kAnyone, "x").ok());
}

TEST_F(AuthorizerTest, TokensAndRootsAreRenewedWithoutARestart) {
  Start();
  const CertificateAuthority next;
  Subject subject;
  subject.unit = "worker";
  const std::string old_one = Certificate("worker");
  const std::string new_one = next.Issue(subject).certificate;
  EXPECT_EQ(*WithCertificate(old_one), AccessRole::kWorker);
  WriteFile(files_.tokens, absl::StrCat("viewer ", kNext, "\nworker ", kToken));
  WriteFile(files_.ca, next.root());
  EXPECT_FALSE(WithToken(kNext).ok()) << "it looks once a second";
  clock_.now += absl::Seconds(1);
  EXPECT_EQ(*WithToken(kNext), AccessRole::kViewer);
  EXPECT_EQ(*WithToken(kToken), AccessRole::kWorker);
  EXPECT_EQ(*WithCertificate(new_one), AccessRole::kWorker);
  EXPECT_TRUE(absl::IsUnauthenticated(WithCertificate(old_one).status()));
}

TEST_F(AuthorizerTest, WhatIsHalfWrittenLeavesWhatWasThere) {
  Start();
  for (const char* const text : {"", "worker", "boss 0123456789abcdef"}) {
    WriteFile(files_.tokens, text);
    WriteFile(files_.ca, text);
    clock_.now += absl::Seconds(1);
    EXPECT_EQ(*WithToken(kToken), AccessRole::kWorker) << text;
    EXPECT_TRUE(WithCertificate(Certificate("worker")).ok()) << text;
  }
}

TEST_F(AuthorizerTest, ACertificateEndsWhileItsConnectionLives) {
  Start();
  const std::string pem = Certificate("worker", absl::Hours(1));
  EXPECT_TRUE(WithCertificate(pem).ok());
  clock_.wall_ahead += absl::Hours(1) + absl::Seconds(1);
  const absl::Status status = WithCertificate(pem).status();
  EXPECT_TRUE(absl::IsUnauthenticated(status));
  EXPECT_THAT(status.message(), HasSubstr("expired"));
}

TEST_F(AuthorizerTest, WithNeitherEverybodyIsAnAdmin) {
  files_.tokens.clear();
  files_.ca.clear();
  Start();
  EXPECT_EQ(*authorizer_->RoleOf({}), AccessRole::kAdmin);
}

TEST_F(AuthorizerTest, AFileThatIsWrongAtTheStartIsNamed) {
  WriteFile(files_.tokens, "boss 0123456789abcdef");
  const auto authorizer = Authorizer::Create(files_, &FileSystem::Real(), &clock_);
  EXPECT_THAT(authorizer.status().message(), HasSubstr(absl::StrCat(files_.tokens, ": line 1")));
}

}  // namespace
}  // namespace conadv
