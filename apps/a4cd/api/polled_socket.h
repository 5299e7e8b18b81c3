// A listening socket whose connections do some things otherwise than Poco 1.11's.
//
// They wait by poll(2): Poco waits by an epoll set that it makes for each wait, four system calls
// where one does, a tenth of the processor time of a small request.
//
// They know whether a head is being read. One that comes in drops ends in time, with a 408: it
// would hold a thread of the pool for hours. One that is cut off is no request: Poco takes the
// lines that came for all, and a DELETE without its If-Match for what was asked. And where one
// cannot be read, they say what is wrong, which Poco answers itself with a 400 and not a word,
// before there is anything that a handler could be asked about.
//
// A connection on which nothing comes gives its thread up to those that wait for one, a second
// after it was taken or answered last; so does one whose client is slow in taking an answer, or in
// saying what it asks for.
//
// And they bound a body: one that is read whole by the time in which it comes, and may be slow only
// if it is let; one that is read as it comes by its rate.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketImpl.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "a4c/clock.h"
#include "apps/a4cd/api/http.h"

namespace a4cd {

class PolledServerSocket final : public Poco::Net::ServerSocket {
 public:
  // head_timeout_ms: from the first byte of a head to its last; and what a body with a least rate
  // may be late.
  // is_crowded: whether other connections wait for a thread [any thread].
  PolledServerSocket(const a4c::Clock& clock, int64_t head_timeout_ms,
                     std::function<bool()> is_crowded);
};

// Of a connection of that socket: a head has been read, and its body follows, if it has one.
void BeginBody(Poco::Net::SocketImpl& socket, const BodyBound& bound);
// It was answered, and what comes next is a head.
void BeginHead(Poco::Net::SocketImpl& socket);

// Sends a whole answer, to be taken until then, and some of it in each head_timeout. What is
// returned the client had not taken when the thread was wanted by others: it is to be sent without
// one. Throws as Poco does.
std::string SendAnswer(Poco::Net::SocketImpl& socket, std::string_view answer, int64_t until_ms);

// Closing a socket with bytes unread resets the connection, and the client may lose the answer that
// tells it why. So this direction is ended, and what is still being sent is read for a while, and
// dropped.
void Linger(Poco::Net::SocketImpl& socket, const a4c::Clock& clock);

}  // namespace a4cd
