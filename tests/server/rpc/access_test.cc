// SPDX-License-Identifier: Apache-2.0
// Who gets in: every method of every service, with every kind of credentials, over real TLS.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "tests/server/rpc/tiny_server.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

// The files of somebody who has a certificate or a token, and the roots.
class Keyring {
 public:
  Keyring() { WriteFile(roots(), authority_.root()); }

  SecurityFiles Nothing() const { return {roots(), "", "", "", ""}; }
  SecurityFiles Token(const std::string& token) const {
    const std::string path = directory_ / absl::StrCat("token-", token);
    WriteFile(path, token);
    return {roots(), "", "", path, ""};
  }
  SecurityFiles Certificate(const std::string& unit) const {
    Subject subject;
    subject.unit = unit;
    return Save(authority_.Issue(subject));
  }
  SecurityFiles OtherAuthority() const {
    Subject subject;
    subject.unit = "admin";
    return Save(CertificateAuthority().Issue(subject));
  }
  std::string roots() const { return directory_ / "ca.crt"; }
  std::string operator/(absl::string_view name) const { return directory_ / name; }
  SecurityFiles Save(const Issued& issued) const {
    const std::string stem = directory_ / absl::StrCat("certificate-", ++saved_);
    WriteFile(stem + ".crt", issued.certificate);
    WriteFile(stem + ".key", issued.key);
    return {roots(), stem + ".crt", stem + ".key", "", ""};
  }
  const CertificateAuthority& authority() const { return authority_; }

 private:
  const TempDir directory_;
  const CertificateAuthority authority_;
  mutable int saved_ = 0;
};

// Of somebody whose own checks do not keep it from trying.
std::shared_ptr<grpc::ChannelCredentials> Unchecked(const SecurityFiles& files) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFile(files.ca);
  options.pem_private_key = ReadFile(files.key);
  options.pem_cert_chain = ReadFile(files.cert);
  return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address, const SecurityFiles& files) {
  const auto credentials = ClientCredentials::Create(files, &FileSystem::Real(), &Clock::Real());
  EXPECT_TRUE(credentials.ok()) << credentials.status();
  return credentials.ok() ? MakeChannel(address, *credentials) : nullptr;
}

// How a call ends that says nothing which makes sense: it changes nothing, and ends at once.
absl::Status CallWithNonsense(const std::shared_ptr<grpc::Channel>& channel,
                              const std::string& method) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(absl::Seconds(30)));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  queue.Next(&tag, &ok);
  grpc::Slice nonsense("\xff\xff\xff\xff");
  call->WriteLast(grpc::ByteBuffer(&nonsense, 1), grpc::WriteOptions(), nullptr);
  queue.Next(&tag, &ok);
  grpc::Status status;
  call->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  return FromGrpc(status);
}

// "/conadv.v1.Inspector/Status", of every service in proto/, and of those that gRPC brings.
std::vector<std::string> EveryMethod() {
  std::vector<std::string> methods = {
      "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "/conadv.v1.Unknown/Call"};
  const std::filesystem::path folder = std::filesystem::path(CONADV_SOURCE_DIR) / "proto/conadv/v1";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string name = absl::StrCat("conadv/v1/", file.path().filename().string());
    const auto* const descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    // One that the server does not know has no service of the server's.
    for (int s = 0; descriptor != nullptr && s < descriptor->service_count(); ++s) {
      const auto* const service = descriptor->service(s);
      for (int m = 0; m < service->method_count(); ++m) {
        methods.push_back(absl::StrCat("/", service->full_name(), "/", service->method(m)->name()));
      }
    }
  }
  std::sort(methods.begin(), methods.end());
  return methods;
}

// What stands between README's two marks.
std::string TableOf(const std::string& readme) {
  const std::string begin_mark = "<!-- access -->\n";
  const size_t begin = readme.find(begin_mark);
  const size_t end = readme.find("<!-- /access -->");
  if (begin == std::string::npos || end == std::string::npos) return "";
  return readme.substr(begin + begin_mark.size(), end - begin - begin_mark.size());
}

class Access : public ::testing::Test {
 protected:
  void SetUp() override {
    files_ = keyring_.Certificate("server");
    files_.tokens = keyring_ / "tokens";
    std::string tokens;
    for (const char* const role : {"viewer", "worker", "server", "admin"}) {
      absl::StrAppend(&tokens, role, " ", TokenOf(role), "\n");
    }
    WriteFile(files_.tokens, tokens);
    Restart();
  }

  void Restart() {
    server_.reset();
    auto authorizer = Authorizer::Create(files_, &FileSystem::Real(), &Clock::Real());
    ASSERT_TRUE(authorizer.ok()) << authorizer.status();
    LaunchOptions options;
    options.job = JobOf(TinyRun());
    options.listen = "127.0.0.1:0";
    options.security = {files_, *std::move(authorizer), {}};
    auto server = Server::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  static std::string TokenOf(absl::string_view role) {
    return absl::StrCat("token-of-the-role-", role);
  }
  absl::Status Try(const SecurityFiles& files, const std::string& method) {
    return CallWithNonsense(Connect(server_->address(), files), method);
  }

  Keyring keyring_;
  SecurityFiles files_;
  std::unique_ptr<Server> server_;
};

TEST_F(Access, WhatGetsInIsTheReadmesTable) {
  // A column of the table, and everybody who belongs into it.
  std::vector<std::pair<std::string, std::vector<std::shared_ptr<grpc::Channel>>>> columns;
  const std::string& address = server_->address();
  Subject expired;
  expired.unit = "admin";
  expired.not_after = absl::FromUnixSeconds(1'000'000'000);
  columns.push_back(
      {"nothing, a wrong token, an expired certificate or another CA's",
       {Connect(address, keyring_.Nothing()), Connect(address, keyring_.Token("0123456789abcdef")),
        grpc::CreateChannel(address, Unchecked(keyring_.Save(keyring_.authority().Issue(expired)))),
        Connect(address, keyring_.OtherAuthority())}});
  columns.push_back({"a certificate without a role", {Connect(address, keyring_.Certificate(""))}});
  for (const char* const role : {"viewer", "worker", "server", "admin"}) {
    columns.push_back({role,
                       {Connect(address, keyring_.Token(TokenOf(role))),
                        Connect(address, keyring_.Certificate(role))}});
  }

  std::map<std::vector<std::string>, std::vector<std::string>> rows;  // cells → methods
  for (const std::string& method : EveryMethod()) {
    std::vector<std::string> cells;
    for (const auto& [name, channels] : columns) {
      std::vector<std::string> ends;
      for (const auto& channel : channels) {
        const absl::Status status = CallWithNonsense(channel, method);
        EXPECT_FALSE(absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status))
            << method << " with " << name << ": " << status;
        ends.push_back(absl::IsUnauthenticated(status)    ? "UNAUTHENTICATED"
                       : absl::IsPermissionDenied(status) ? "PERMISSION_DENIED"
                                                          : "yes");
      }
      for (const std::string& end : ends) EXPECT_EQ(end, ends.front()) << method << ": " << name;
      cells.push_back(ends.front());
    }
    const std::vector<std::string> parts = absl::StrSplit(method, absl::ByAnyChar("./"));
    rows[cells].push_back(absl::StrCat(parts[parts.size() - 2], ".", parts.back()));
  }
  std::vector<std::string> lines;
  for (const auto& [cells, methods] : rows) {
    lines.push_back(
        absl::StrCat("| ", absl::StrJoin(methods, ", "), " | ", absl::StrJoin(cells, " | "), " |"));
  }
  // Those that are the most open first.
  std::sort(lines.begin(), lines.end(), [](const std::string& a, const std::string& b) {
    const auto open = [](const std::string& line) {
      return std::count(line.begin(), line.end(), 'D');
    };
    return std::make_pair(open(a), a) < std::make_pair(open(b), b);
  });
  std::string table = "| call |";
  std::string rule = "|---|";
  for (const auto& column : columns) {
    absl::StrAppend(&table, " ", column.first, " |");
    rule += "---|";
  }
  absl::StrAppend(&table, "\n", rule, "\n", absl::StrJoin(lines, "\n"), "\n");
  EXPECT_EQ(TableOf(ReadFile(absl::StrCat(CONADV_SOURCE_DIR, "/README.md"))), table)
      << "README.md has to say:\n<!-- access -->\n"
      << table << "<!-- /access -->";
}

TEST_F(Access, WhoIsNotEncryptedGetsNoAnswer) {
  const absl::Status status =
      CallWithNonsense(MakeChannel(server_->address()), "/conadv.v1.Inspector/Status");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

TEST_F(Access, AServerOfAnotherNameOrAuthorityIsNotBelieved) {
  SecurityFiles other = keyring_.Nothing();
  other.ca = keyring_ / "other-ca.crt";
  WriteFile(other.ca, CertificateAuthority().root());
  EXPECT_TRUE(absl::IsUnavailable(Try(other, "/grpc.health.v1.Health/Check")));
  Subject elsewhere;
  elsewhere.hosts = "DNS:elsewhere";
  files_ = keyring_.Save(keyring_.authority().Issue(elsewhere));
  Restart();
  EXPECT_TRUE(absl::IsUnavailable(Try(keyring_.Nothing(), "/grpc.health.v1.Health/Check")));
}

TEST_F(Access, AWorkerIsNoShard) {
  for (const char* const role : {"worker", "server"}) {
    const auto stub =
        v1::Coordinator::NewStub(Connect(server_->address(), keyring_.Certificate(role)));
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(absl::Seconds(30)));
    const auto stream = stub->Join(&context);
    v1::JoinRequest request;
    request.mutable_hello()->set_role(v1::SHARD);
    request.mutable_hello()->set_name("server-1");
    request.mutable_hello()->set_incarnation(7);
    request.mutable_hello()->set_shard(1);
    request.mutable_hello()->set_shards(2);
    request.mutable_hello()->set_address("127.0.0.1:1");
    stream->Write(request);
    stream->WritesDone();
    v1::JoinResponse response;
    while (stream->Read(&response)) {
    }
    const absl::Status status = FromGrpc(stream->Finish());
    // The run has one shard, so that even a server is refused, but for that.
    EXPECT_EQ(absl::IsPermissionDenied(status), role == std::string("worker")) << status;
    EXPECT_FALSE(status.ok());
  }
}

TEST_F(Access, CertificatesAndTokensAreRenewedUnderARunningServer) {
  const CertificateAuthority next;
  Subject subject;
  const Issued issued = next.Issue(subject);
  // As a kubelet does: both are there at once, whenever one looks.
  WriteFile(files_.cert + ".new", issued.certificate);
  WriteFile(files_.key + ".new", issued.key);
  std::filesystem::rename(files_.key + ".new", files_.key);
  std::filesystem::rename(files_.cert + ".new", files_.cert);
  WriteFile(files_.tokens, "admin a-token-that-is-new\n");
  SecurityFiles files = keyring_.Token("a-token-that-is-new");
  files.ca = keyring_ / "next-ca.crt";
  WriteFile(files.ca, next.root());
  absl::Status status = absl::UnavailableError("");
  const absl::Time deadline = Clock::Real().Now() + absl::Seconds(30);
  while ((absl::IsUnavailable(status) || absl::IsUnauthenticated(status)) &&
         Clock::Real().Now() < deadline) {
    status = Try(files, "/conadv.v1.Inspector/Status");
  }
  EXPECT_TRUE(absl::IsUnimplemented(status) || absl::IsInternal(status)) << status;  // of nonsense
}

}  // namespace
}  // namespace conadv
