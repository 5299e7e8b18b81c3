#include "http.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "files.h"

namespace a4c::helper {
namespace {

// What a conversation makes of these bytes, request by request.
class HelperHttp : public ::testing::Test {
 protected:
  void Say(const std::string& bytes) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    in_ = Fd(ends[0]);
    const Fd out(ends[1]);
    ASSERT_TRUE(WriteAll(out.get(), bytes));
    conversation_.emplace(in_.get(), -1);
  }
  Fd in_;
  std::optional<Conversation> conversation_;
};

TEST_F(HelperHttp, RequestsComeOneAfterTheOther) {
  Say("POST /a?bytes=12&x=y HTTP/1.1\r\nA4C-Unit: ws-1\r\nContent-Length: 3\r\n\r\nabc"
      "GET /b HTTP/1.1\r\n\r\n");
  const auto first = conversation_->Next();
  ASSERT_TRUE(first && *first) << first.error().message();
  EXPECT_EQ((*first)->method, "POST");
  EXPECT_EQ((*first)->Path(), "/a");
  EXPECT_EQ((*first)->Parameter("bytes"), "12");
  EXPECT_EQ((*first)->Parameter("x"), "y");
  EXPECT_EQ((*first)->Parameter("ytes"), "");
  EXPECT_EQ((*first)->Field("a4c-unit"), "ws-1");
  EXPECT_EQ((*first)->body, "abc");
  const auto second = conversation_->Next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->target, "/b");
  const auto end = conversation_->Next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST_F(HelperHttp, WhatIsOutOfFormIsRefused) {
  const std::string big(20'000, 'a');
  for (const std::string& bytes :
       {std::string("GET\r\n\r\n"), std::string("GET /\r\n\r\n"),
        std::string("GET x HTTP/1.1\r\n\r\n"), std::string("GET /a b HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nno colon\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\na: 1\r\nA: 2\r\n\r\n"), std::string("GET / HTTP/1.1\r\n"),
        std::string("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc"),
        std::string("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "GET / HTTP/1.1\r\na: " + big + "\r\n\r\n"}) {
    Say(bytes);
    const auto request = conversation_->Next();
    EXPECT_FALSE(request) << bytes.substr(0, 60);
    if (!request) {
      EXPECT_EQ(request.error().code(), Code::kInvalid);
    }
  }
}

TEST(HelperText, QuotedTextIsJson) {
  EXPECT_EQ(JsonText("a\"b\\c\n"), R"("a\"b\\c\u000a")");
}

}  // namespace
}  // namespace a4c::helper
