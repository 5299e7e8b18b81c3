#include "apps/websocket/frames.h"

#include <gtest/gtest.h>

namespace a4c_websocket {
namespace {

constexpr size_t kMax = 1 << 20;

Message Taken(FrameDecoder& decoder) {
  auto message = decoder.Next();
  EXPECT_TRUE(message) << message.error().ToString();
  EXPECT_TRUE(*message);
  return message && *message ? **message : Message{Kind::kClose, "nothing"};
}

TEST(WebSocketFrames, AcceptKeyIsThatOfTheRfc) {
  EXPECT_EQ(AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketFrames, AreThoseOfTheRfc) {
  EXPECT_EQ(EncodeFrame(Kind::kText, "Hello", {}), std::string("\x81\x05Hello"));
  EXPECT_EQ(EncodeFrame(Kind::kText, "Hello", 0x37fa213d),
            std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
}

TEST(WebSocketFrames, OfAnyLengthComeBackAsTheyWereHoweverTheyAreCut) {
  for (const size_t length : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 200'000u}) {
    for (const bool masked : {false, true}) {
      std::string bytes;
      for (size_t i = 0; i < length; ++i) bytes += static_cast<char>(i * 31);
      const std::string frame = EncodeFrame(
          Kind::kBinary, bytes, masked ? std::optional<uint32_t>(0x12345678) : std::nullopt);
      FrameDecoder decoder(masked, kMax);
      const size_t cut = frame.size() / 2;
      decoder.Add(frame.substr(0, 1));
      EXPECT_FALSE(*decoder.Next());
      decoder.Add(frame.substr(1, cut));
      if (cut + 1 < frame.size()) {
        EXPECT_FALSE(*decoder.Next());
      }
      if (cut + 1 < frame.size()) decoder.Add(frame.substr(cut + 1));
      const Message message = Taken(decoder);
      EXPECT_EQ(message.kind, Kind::kBinary);
      EXPECT_TRUE(message.bytes == bytes) << length;
      EXPECT_FALSE(*decoder.Next());
    }
  }
}

TEST(WebSocketFrames, TwoPartsAreOneMessageBehindWhatIsThere) {
  for (const auto mask : {std::optional<uint32_t>(), std::optional<uint32_t>(0x12345678)}) {
    for (const size_t length : {0u, 7u, 124u, 125u, 65'535u}) {
      const std::string rest(length, 'x');
      std::string out = "before";
      AppendFrame(out, Kind::kBinary, "\x01", rest, mask);
      EXPECT_TRUE(out == "before" + EncodeFrame(Kind::kBinary, "\x01" + rest, mask)) << length;
    }
  }
}

TEST(WebSocketFrames, ThatComeTogetherComeOutOneByOne) {
  std::string frames;
  for (int i = 0; i < 1'000; ++i) {
    AppendFrame(frames, Kind::kText, std::to_string(i), " times", 0x9abcdef0);
  }
  FrameDecoder decoder(true, kMax);
  decoder.Add(frames);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(Taken(decoder).bytes, std::to_string(i) + " times");
  EXPECT_FALSE(*decoder.Next());
}

TEST(WebSocketFrames, PiecesArePutTogetherAndControlMayComeBetween) {
  FrameDecoder decoder(false, kMax);
  decoder.Add(std::string("\x01\x03Hel", 5) + std::string("\x89\x01p", 3) +
              std::string("\x80\x02lo", 4));
  EXPECT_EQ(Taken(decoder).kind, Kind::kPing);
  const Message whole = Taken(decoder);
  EXPECT_EQ(whole.kind, Kind::kText);
  EXPECT_EQ(whole.bytes, "Hello");
}

TEST(WebSocketFrames, NonsenseIsRefused) {
  const std::string cases[] = {
      "\x83\x01x",                                     // a kind that there is not
      "\xc1\x01x",                                     // an extension that nobody agreed on
      "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",  // masked by a server
      std::string("\x89\x7e\x00\x80", 4),              // a long ping
      std::string("\x09\x00", 2),                      // a ping in pieces
      "\x80\x01x",                                     // goes on with nothing
      "\x01\x01x\x01\x01y",                            // begins anew
      "\x01\x01x\x81\x01y",                            // a whole one within
      std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10),  // much too long
      std::string("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10),
  };
  for (const std::string& bytes : cases) {
    FrameDecoder decoder(false, kMax);
    decoder.Add(bytes);
    bool refused = false;
    for (int i = 0; i < 3 && !refused; ++i) refused = !decoder.Next();
    EXPECT_TRUE(refused) << testing::PrintToString(bytes);
  }
  FrameDecoder of_client(true, kMax);
  of_client.Add("\x81\x05Hello");
  EXPECT_FALSE(of_client.Next());
}

TEST(WebSocketFrames, AMessageHasABoundAlsoInPieces) {
  FrameDecoder decoder(false, 10);
  decoder.Add(std::string("\x02\x08", 2) + std::string(8, 'x'));
  EXPECT_TRUE(decoder.Next());
  decoder.Add(std::string("\x80\x08", 2) + std::string(8, 'x'));
  EXPECT_FALSE(decoder.Next());
}

TEST(WebSocketFrames, ACloseSaysWhyInFewBytes) {
  const std::string body = CloseBody(1001, std::string(300, 'x'));
  EXPECT_EQ(body.size(), 125u);
  EXPECT_EQ(body.substr(0, 3), std::string("\x03\xe9x"));
}

}  // namespace
}  // namespace a4c_websocket
