// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/safetensors.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string File(const std::string& header, size_t data_bytes) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string(data_bytes, '\0');
}

std::string Entry(const std::string& shape, const std::string& offsets,
                  const std::string& dtype = "F32") {
  return R"({"dtype":")" + dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + offsets +
         "]}";
}

// The message of the refusal.
std::string Refusal(std::string bytes) {
  const auto file = DecodeSafetensors(std::move(bytes));
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument) << file.status();
  return std::string(file.status().message());
}
std::string Refusal(const std::string& header, size_t data_bytes) {
  return Refusal(File(header, data_bytes));
}

TEST(SafetensorsTest, DecodeReturnsWhatWasEncoded) {
  const std::vector<float> a = {1, -2.5F, std::numeric_limits<float>::infinity(), 0, 5, 6};
  const std::vector<float> scalar = {42};
  const std::string odd = "a \"name\" with \\ and \n and ü";
  const std::string bytes = EncodeSafetensors(
      {{"z.first", {2, 3}, a}, {odd, {}, scalar}, {"empty", {0, 4}, {}}}, {{"key\"", "value\n"}});
  const auto file = DecodeSafetensors(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->tensors.size(), 3);
  EXPECT_EQ(file->tensors[0].name, "z.first");
  EXPECT_THAT(file->tensors[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(file->tensors[0].values, absl::MakeConstSpan(a));
  EXPECT_EQ(file->tensors[1].name, odd);
  EXPECT_THAT(file->tensors[1].shape, IsEmpty());
  EXPECT_THAT(file->tensors[1].values, ElementsAre(42));
  EXPECT_THAT(file->tensors[2].shape, ElementsAre(0, 4));
  EXPECT_THAT(file->metadata, ElementsAre(std::make_pair("key\"", "value\n")));
}

TEST(SafetensorsTest, NothingButAHeaderIsAFile) {
  const auto file = DecodeSafetensors(EncodeSafetensors({}, {}));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->tensors, IsEmpty());
}

TEST(SafetensorsTest, DataBeginsAtAMultipleOfEightBytes) {
  for (const std::string name : {"a", "ab", "abc", "abcd", "abcde"}) {
    const std::vector<float> values = {1};
    EXPECT_EQ((EncodeSafetensors({{name, {1}, values}}, {}).size() - 4) % 8, 0);
  }
}

TEST(SafetensorsTest, NamesThatAreNotUtf8DoNotThrow) {
  EXPECT_TRUE(DecodeSafetensors(EncodeSafetensors({{"\xff", {0}, {}}}, {{"k", "\xc0"}})).ok());
}

TEST(SafetensorsTest, ReadsTensorsInTheDatasOrderAndFieldsInAny) {
  const auto file = DecodeSafetensors(File(
      R"({"b":{"data_offsets":[4,8],"shape":[1],"dtype":"F32"},"a":)" + Entry("", "0,4") + "}  ",
      8));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors[0].name, "a");
  EXPECT_EQ(file->tensors[1].name, "b");
}

TEST(SafetensorsTest, UnalignedDataIsReadAlignedToFourBytes) {
  for (size_t spaces = 0; spaces < 4; ++spaces) {
    std::string bytes = File("{\"a\":" + Entry("1", "0,4") + "}" + std::string(spaces, ' '), 0);
    bytes += std::string("\x00\x00\x80\x3f", 4);
    const auto file = DecodeSafetensors(bytes);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file->tensors[0].values.data()) % 4, 0);
    EXPECT_THAT(file->tensors[0].values, ElementsAre(1));
  }
}

TEST(SafetensorsTest, RefusesALengthThatDoesNotFit) {
  EXPECT_THAT(Refusal("1234567"), HasSubstr("truncated"));
  EXPECT_THAT(Refusal(std::string(7, '\0') + "\x10{}"), HasSubstr("a header of"));
  EXPECT_THAT(Refusal(std::string(8, '\xff') + "{}"), HasSubstr("a header of"));
  EXPECT_THAT(Refusal(std::string("\x03\0\0\0\0\0\0\0{}", 10)), HasSubstr("truncated"));
  EXPECT_THAT(Refusal("", 0), HasSubstr("begin with {"));
  EXPECT_THAT(Refusal(" {}", 0), HasSubstr("begin with {"));
}

TEST(SafetensorsTest, RefusesDataThatIsNotCoveredExactly) {
  const std::string a = R"({"a":)" + Entry("2", "0,8");
  EXPECT_THAT(Refusal(a + "}", 7), HasSubstr("truncated"));
  EXPECT_THAT(Refusal(a + "}", 9), HasSubstr("after the last tensor"));
  EXPECT_THAT(Refusal(a + R"(,"b":)" + Entry("1", "12,16") + "}", 16), HasSubstr("gap"));
  EXPECT_THAT(Refusal(a + R"(,"b":)" + Entry("1", "4,8") + "}", 8), HasSubstr("overlaps"));
  EXPECT_THAT(Refusal(a + R"(,"b":)" + Entry("2", "0,8") + "}", 8), HasSubstr("overlaps"));
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("1", "4,8") + "}", 8), HasSubstr("gap"));
}

TEST(SafetensorsTest, RefusesShapesThatAreNotTheirData) {
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("3", "0,8") + "}", 8), HasSubstr("tensor a"));
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("2", "8,0") + "}", 8), HasSubstr("tensor a"));
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("2", "8") + "}", 8), HasSubstr("tensor a"));
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("2", "0,8,8") + "}", 8), HasSubstr("tensor a"));
  // 2^62 elements are 2^64 bytes: 0, if one does not look.
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("4611686018427387904", "0,0") + "}", 0),
              HasSubstr("too many elements"));
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("4294967296,4294967296", "0,0") + "}", 0),
              HasSubstr("too many elements"));
}

TEST(SafetensorsTest, RefusesNumbersThatAreNotWhole) {
  for (const char* number : {"-1", "1.0", "1e3", "18446744073709551616", "\"1\"", "null", "true"}) {
    EXPECT_THAT(Refusal(R"({"a":)" + Entry(number, "0,4") + "}", 4), HasSubstr("tensor a"))
        << number;
  }
}

TEST(SafetensorsTest, RefusesOtherTypes) {
  EXPECT_THAT(Refusal(R"({"a":)" + Entry("1", "0,2", "BF16") + "}", 2), HasSubstr("BF16"));
}

TEST(SafetensorsTest, RefusesDuplicates) {
  const std::string entry = Entry("1", "0,4");
  EXPECT_THAT(Refusal(R"({"a":)" + entry + R"(,"a":)" + entry + "}", 4), HasSubstr("named a"));
  EXPECT_THAT(Refusal(R"({"__metadata__":{"k":"1","k":"2"}})", 0), HasSubstr("named k"));
  EXPECT_THAT(Refusal(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4),
              HasSubstr("named dtype"));
}

TEST(SafetensorsTest, RefusesOtherJson) {
  for (const char* header :
       {"{", "{}{}", "{} x", R"({"a":1})", R"({"a":[]})", R"({"a":"F32"})", R"({"a":{}})",
        R"({"a":{"b":1}})", R"({"a":{"shape":{}}})", R"({"a":{"shape":[[]]}})",
        R"({"a":{"dtype":[]}})", R"({"a":{"dtype":1}})", R"({"a":{"shape":"1"}})",
        R"({"a":{"dtype":"F32","shape":[]}})", R"({"__metadata__":"x"})",
        R"({"__metadata__":{"k":1}})", R"({"__metadata__":{"k":{}}})", "{\"\xff\":1}"}) {
    EXPECT_THAT(Refusal(header, 0), HasSubstr("safetensors")) << header;
  }
}

TEST(SafetensorsTest, DeepNestingIsRefusedAtOnce) {
  EXPECT_FALSE(Refusal(R"({"a":)" + std::string(10'000'000, '['), 0).empty());
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += R"({"a":)";
  EXPECT_FALSE(Refusal(objects, 0).empty());
  std::string numbers = "1";
  for (int i = 0; i < 1'000'000; ++i) numbers += ",1";
  EXPECT_THAT(Refusal(R"({"a":)" + Entry(numbers, "0,4") + "}", 4), HasSubstr("too many numbers"));
}

TEST(SafetensorsTest, ARefusalIsTextWhateverANameHolds) {
  EXPECT_THAT(Refusal(R"({"\u001b[2J":)" + Entry("2", "0,4") + "}", 4), HasSubstr("\\x1b[2J"));
  EXPECT_THAT(Refusal(R"({"\u001b[2J":{"shape":{}}})", 4), HasSubstr("\\x1b[2J"));
}

TEST(SafetensorsTest, NoChangedByteOrCutCrashes) {
  const std::vector<float> values(20, 1.5F);
  const std::string whole = EncodeSafetensors(
      {{"a", {4, 5}, values}, {"b", {}, absl::MakeConstSpan(values).first(1)}}, {{"version", "7"}});
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_FALSE(DecodeSafetensors(whole.substr(0, cut)).ok()) << cut;
  }
  Random random(1, Purpose::kAugmentation);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    for (uint64_t changes = 1 + random.Below(3); changes > 0; --changes) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Next32());
    }
    const auto file = DecodeSafetensors(std::move(bytes));
    if (!file.ok()) continue;
    for (const NamedTensor& tensor : file->tensors) {
      const auto* begin = reinterpret_cast<const char*>(tensor.values.data());
      EXPECT_GE(begin, file->bytes.data());
      EXPECT_LE(begin + 4 * tensor.values.size(), file->bytes.data() + file->bytes.size());
    }
  }
}

}  // namespace
}  // namespace conadv
