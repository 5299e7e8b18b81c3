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
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketImpl.h>

#include <cstdint>

#include "a4c/clock.h"

namespace a4cd {

class PolledServerSocket final : public Poco::Net::ServerSocket {
 public:
  // head_timeout_ms: from the first byte of a head to its last.
  PolledServerSocket(const a4c::Clock& clock, int64_t head_timeout_ms);
};

// Of a connection of that socket: a head has been read, and its body follows, if it has one, until
// this time on the monotonic clock (0: as long as something comes). What comes later is a timeout.
void BeginBody(Poco::Net::SocketImpl& socket, int64_t until_ms);
// It was answered, and what comes next is a head.
void BeginHead(Poco::Net::SocketImpl& socket);

// Closing a socket with bytes unread resets the connection, and the client may lose the answer that
// tells it why. So this direction is ended, and what is still being sent is read for a while, and
// dropped.
void Linger(Poco::Net::SocketImpl& socket, const a4c::Clock& clock);

}  // namespace a4cd
