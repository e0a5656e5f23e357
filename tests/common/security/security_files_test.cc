// SPDX-License-Identifier: Apache-2.0
#include "common/security/security_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/security/access_role.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

const absl::Time kToday = absl::FromUnixSeconds(2'000'000'000);

class SecurityFilesTest : public ::testing::Test {
 protected:
  SecurityFilesTest() {
    Subject subject;
    const Issued issued = authority_.Issue(subject);
    subject.not_after = kToday;
    const Issued expired = authority_.Issue(subject);
    WriteFile(At("ca"), authority_.root());
    WriteFile(At("cert"), issued.certificate);
    WriteFile(At("key"), issued.key);
    WriteFile(At("old-cert"), expired.certificate);
    WriteFile(At("old-key"), expired.key);
    WriteFile(At("token"), "0123456789abcdef\n");
    WriteFile(At("tokens"), "worker 0123456789abcdef\n");
  }

  std::string At(absl::string_view name) const { return directory_ / name; }
  // Names of files, as "ca=ca".
  SecurityFiles Files(absl::string_view ca, absl::string_view cert, absl::string_view key,
                      absl::string_view token, absl::string_view tokens) const {
    const auto path = [this](absl::string_view name) { return name.empty() ? "" : At(name); };
    return {path(ca), path(cert), path(key), path(token), path(tokens)};
  }
  std::string Client(const SecurityFiles& files) const {
    return std::string(CheckClientFiles(files, FileSystem::Real(), kToday).message());
  }
  std::string Server(const SecurityFiles& files, bool insecure = false) const {
    return std::string(
        CheckServerFiles(files, /*loopback=*/false, insecure, FileSystem::Real(), kToday)
            .message());
  }

  TempDir directory_;
  CertificateAuthority authority_;
};

TEST_F(SecurityFilesTest, WhatAClientNeedsIsSaid) {
  EXPECT_EQ(Client(Files("", "", "", "", "")), "");
  EXPECT_EQ(Client(Files("ca", "cert", "key", "token", "")), "");
  EXPECT_THAT(Client(Files("", "", "", "token", "")), HasSubstr("--token_file needs --tls_ca"));
  EXPECT_THAT(Client(Files("", "cert", "key", "", "")), HasSubstr("--tls_cert needs --tls_ca"));
  EXPECT_THAT(Client(Files("ca", "cert", "", "", "")), HasSubstr("go together"));
  EXPECT_THAT(Client(Files("ca", "cert", "old-key", "", "")), HasSubstr("another certificate"));
  EXPECT_THAT(Client(Files("ca", "old-cert", "old-key", "", "")), HasSubstr("is valid from"));
  EXPECT_THAT(Client(Files("none", "", "", "", "")), HasSubstr("--tls_ca: "));
  EXPECT_THAT(Client(Files("token", "", "", "", "")), HasSubstr("PEM is expected"));
  EXPECT_THAT(Client(Files("ca", "", "", "cert", "")), HasSubstr("--token_file: "));
}

TEST_F(SecurityFilesTest, AServerThatOthersReachLetsNobodyPushUnasked) {
  EXPECT_THAT(Server(Files("", "", "", "", "")),
              HasSubstr("anybody there could push; give --tls_cert"));
  EXPECT_THAT(Server(Files("", "cert", "key", "", "")), HasSubstr("could push; give --tokens"));
  EXPECT_EQ(Server(Files("", "", "", "", ""), /*insecure=*/true), "");
  EXPECT_EQ(Server(Files("", "cert", "key", "", "tokens")), "");
  EXPECT_EQ(Server(Files("ca", "cert", "key", "token", "")), "");
  EXPECT_TRUE(
      CheckServerFiles({}, /*loopback=*/true, /*insecure=*/false, FileSystem::Real(), kToday).ok());
  EXPECT_THAT(Server(Files("", "", "", "", "tokens")), HasSubstr("encrypted connections only"));
  EXPECT_THAT(Server(Files("ca", "", "", "", "")), HasSubstr("needs --tls_cert"));
  EXPECT_THAT(Server(Files("", "cert", "key", "", "token")), HasSubstr("--tokens: "));
}

TEST(FillFromEnvironment, FlagsComeFirst) {
  SecurityFiles files;
  files.ca = "flag";
  FillFromEnvironment(
      [](const char* name) -> const char* {
        return absl::string_view(name) == "CONADV_TLS_KEY" ? nullptr : name;
      },
      &files);
  EXPECT_EQ(files.ca, "flag");
  EXPECT_EQ(files.cert, "CONADV_TLS_CERT");
  EXPECT_EQ(files.key, "");
  EXPECT_EQ(files.token, "CONADV_TOKEN_FILE");
}

TEST(LeastRoleFor, AMethodThatIsNotListedIsTheAdmins) {
  EXPECT_EQ(LeastRoleFor("/grpc.health.v1.Health/Check"), AccessRole::kAnyone);
  EXPECT_EQ(LeastRoleFor("/conadv.v1.Inspector/Status"), AccessRole::kViewer);
  EXPECT_EQ(LeastRoleFor("/conadv.v1.ParameterServer/Push"), AccessRole::kWorker);
  for (const char* const path : {"", "/", "/conadv.v1.Coordinator/GetJobs", "/conadv.v1.Inspector",
                                 "/conadv.v1.ParameterServer/", "/x/grpc.health.v1.Health/Check"}) {
    EXPECT_EQ(LeastRoleFor(path), AccessRole::kAdmin) << path;
  }
}

}  // namespace
}  // namespace conadv
